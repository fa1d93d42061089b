"""Posts messages to WeCom group robots."""

from __future__ import annotations

from channels.base import Outcome, Part, Recipient
from channels.webhook import NotAnswered, NotSent, Poster
from channels.wechat.account import WeChatAccount
from channels.wechat.address import WEBHOOK_PATH, show_address
from channels.wechat.errcodes import WECOM
from channels.wechat.replies import read_reply


class RobotConnection:
    """An open way to WeCom, for any number of robots. Connects when first used."""

    def __init__(self, account: WeChatAccount) -> None:
        self._poster = Poster(account.base_url, account.timeout_seconds)

    def deliver(self, part: Part, recipient: Recipient) -> Outcome:
        """Post `part` with the robot whose key is the recipient's address."""
        key = recipient.address
        try:
            answer = self._poster.post_json(WEBHOOK_PATH, {"key": key}, part.payload)
        except NotSent as error:
            return WECOM.not_sent(str(error))
        except NotAnswered as error:
            return WECOM.not_answered(str(error))
        return read_reply(answer.without(key, show_address(key)))

    def close(self) -> None:
        """Close what is open; a later `deliver` connects again."""
        self._poster.close()
