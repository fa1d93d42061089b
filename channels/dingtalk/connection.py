"""Posts messages to DingTalk group robots, signed where the robot wants it."""

from __future__ import annotations

import time

from channels import signing
from channels.base import Outcome, Part, Recipient
from channels.dingtalk.account import DingTalkAccount
from channels.dingtalk.errcodes import DINGTALK
from channels.webhook import Answer, NotAnswered, NotSent, Poster

WEBHOOK_PATH = "/robot/send"


class DingTalkConnection:
    """An open way to DingTalk, for any number of robots. Connects when first used."""

    def __init__(self, account: DingTalkAccount) -> None:
        self._poster = Poster(account.base_url, account.timeout_seconds)

    def deliver(self, part: Part, recipient: Recipient) -> Outcome:
        """Post `part` with the robot whose token is the recipient's address."""
        token, secret = signing.split(recipient.address)
        query = {"access_token": token, **(_signature(secret) if secret else {})}
        try:
            answer = self._poster.post_json(WEBHOOK_PATH, query, part.payload)
        except NotSent as error:
            return DINGTALK.not_sent(str(error))
        except NotAnswered as error:
            return DINGTALK.not_answered(str(error))
        return read_reply(answer.without(token, signing.show(recipient.address)))

    def close(self) -> None:
        """Close what is open; a later `deliver` connects again."""
        self._poster.close()


def read_reply(answer: Answer) -> Outcome:
    """What an answer means; only its `errcode` counts."""
    errcode = (answer.json or {}).get("errcode")
    if type(errcode) is not int:
        return DINGTALK.not_the_platform(answer.status, answer.text)
    return DINGTALK.outcome(errcode, answer.text)


def _signature(secret: str) -> dict[str, str]:
    timestamp = str(round(time.time() * 1000))
    sign = signing.hmac_sha256(key=secret, message=f"{timestamp}\n{secret}")
    return {"timestamp": timestamp, "sign": sign}
