"""What WeCom's answers to a robot mean.

Only the body's `errcode` counts: WeCom answers HTTP 200 to a wrong key as well. An accepted
message has no id that could be asked about later.
"""

from __future__ import annotations

from channels.base import Outcome
from channels.errcodes import Errcodes
from channels.webhook import Answer
from channels.wechat.errcodes import WECOM


def errcode_of(answer: Answer) -> int | None:
    """The `errcode` of an answer; None when it is not WeCom's."""
    errcode = (answer.json or {}).get("errcode")
    return errcode if type(errcode) is int else None


def read_reply(answer: Answer, table: Errcodes = WECOM) -> Outcome:
    """What an answer means. The caller has removed secrets from it."""
    errcode = errcode_of(answer)
    if errcode is None:
        return table.not_the_platform(answer.status, answer.text)
    return table.outcome(errcode, answer.text)
