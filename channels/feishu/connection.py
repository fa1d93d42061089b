"""Posts cards to Feishu group robots, signed where the robot wants it."""

from __future__ import annotations

import time
from typing import Any

from channels import signing
from channels.base import Outcome, Part, Recipient
from channels.feishu.account import FeishuAccount
from channels.feishu.errcodes import FEISHU
from channels.webhook import Answer, NotAnswered, NotSent, Poster

WEBHOOK_PATH = "/open-apis/bot/v2/hook/"


class FeishuConnection:
    """An open way to Feishu, for any number of robots. Connects when first used."""

    def __init__(self, account: FeishuAccount) -> None:
        self._poster = Poster(account.base_url, account.timeout_seconds)

    def deliver(self, part: Part, recipient: Recipient) -> Outcome:
        """Post `part` with the robot whose token is the recipient's address."""
        token, secret = signing.split(recipient.address)
        body: dict[str, Any] = (
            {**_signature(secret), **part.payload} if secret else {**part.payload}
        )
        try:
            answer = self._poster.post_json(WEBHOOK_PATH + token, {}, body)
        except NotSent as error:
            return FEISHU.not_sent(str(error))
        except NotAnswered as error:
            return FEISHU.not_answered(str(error))
        return read_reply(answer.without(token, signing.show(recipient.address)))

    def close(self) -> None:
        """Close what is open; a later `deliver` connects again."""
        self._poster.close()


def read_reply(answer: Answer) -> Outcome:
    """What an answer means; `code` counts, and `StatusCode` in the older form."""
    said = answer.json or {}
    code = said.get("code", said.get("StatusCode"))
    if type(code) is not int:
        return FEISHU.not_the_platform(answer.status, answer.text)
    return FEISHU.outcome(code, answer.text)


def _signature(secret: str) -> dict[str, str]:
    timestamp = str(int(time.time()))
    return {
        "timestamp": timestamp,
        "sign": signing.hmac_sha256(key=f"{timestamp}\n{secret}", message=""),
    }
