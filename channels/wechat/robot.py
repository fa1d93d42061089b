"""Posts messages to WeCom group robots."""

from __future__ import annotations

import time

import requests

from channels.base import AccountUnreachable, Outcome, Part, Recipient
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


def check(account: WeChatAccount) -> str:
    """Reach WeCom without a key. Raises `AccountUnreachable`.

    A robot has no call that posts nothing, so whether a key works shows only with a message.
    """
    started = time.monotonic()
    try:
        response = requests.get(
            account.base_url, timeout=account.timeout_seconds, allow_redirects=False
        )
    except requests.RequestException as error:
        raise AccountUnreachable(
            f"{account.base_url} does not answer ({type(error).__name__}). Check the network, "
            f"the proxy settings and base_url of the account {account.name!r}."
        ) from None
    milliseconds = (time.monotonic() - started) * 1000
    return (
        f"{account.base_url} answered HTTP {response.status_code} in {milliseconds:.0f} ms. "
        "Whether a robot's key works shows with its first message."
    )
