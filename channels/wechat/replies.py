"""What WeCom's answers mean, as data.

Only the body's `errcode` counts: WeCom answers HTTP 200 to a wrong key as well. An accepted
message has no id that could be asked about later. Source: WeCom developer centre, "全局错误码",
https://developer.work.weixin.qq.com/document/path/90313.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from channels.base import Fault, Outcome, Verdict

_MOST_REPLY = 500


@dataclass(frozen=True, slots=True)
class _Meaning:
    verdict: Verdict
    fault: Fault | None
    retry_after: float | None = None
    suppress: str | None = None


_OUR_MESSAGE = _Meaning(Verdict.FAILED, Fault.CONTENT)
_BUSY = _Meaning(Verdict.RETRYING, Fault.PROVIDER)

#: A code that WeCom gives only to this robot or that nobody has explained yet: it says nothing
#: about other robots, and asking again would bring the same answer.
_UNEXPLAINED = _Meaning(Verdict.FAILED, Fault.RECIPIENT)

_MEANINGS: Mapping[int, _Meaning] = MappingProxyType(
    {
        0: _Meaning(Verdict.SENT, None),
        # System busy.
        -1: _BUSY,
        # Too many calls at once.
        45033: _BUSY,
        # More than 20 messages in a minute.
        45009: _Meaning(Verdict.RETRYING, Fault.PROVIDER, retry_after=60),
        # No such key, or the robot was removed from its group.
        93000: _Meaning(Verdict.FAILED, Fault.RECIPIENT, suppress="robot-removed"),
        # Wrong message type, empty post data, empty text, text too long, too many articles,
        # invalid argument.
        **dict.fromkeys((40008, 44001, 44004, 45002, 45008, 40058), _OUR_MESSAGE),
    }
)

_GATEWAY_TIMEOUT = 504


def read_reply(status: int, body: bytes) -> Outcome:
    """What an answer means: its HTTP status and its body, read as UTF-8 whatever it claims.

    The caller has removed secrets from `body`; its first 500 characters are kept as the reply.
    """
    text = body.decode("utf-8", errors="replace")
    errcode = _errcode(text)
    if errcode is None:
        return _not_wecom(status, text)
    meaning = _MEANINGS.get(errcode, _UNEXPLAINED)
    return Outcome(
        verdict=meaning.verdict,
        code="ok" if errcode == 0 else f"wecom-{errcode}",
        reply=text[:_MOST_REPLY],
        fault=meaning.fault,
        retry_after=meaning.retry_after,
        suppress=meaning.suppress,
    )


def unreachable(reason: str) -> Outcome:
    """No connection: the request was never sent."""
    return Outcome(
        Verdict.RETRYING, "wecom-unreachable", reason[:_MOST_REPLY], fault=Fault.PROVIDER
    )


def unanswered(reason: str) -> Outcome:
    """The request was sent and no answer came: the group may have the message."""
    return Outcome(Verdict.UNKNOWN, "wecom-unanswered", reason[:_MOST_REPLY], fault=Fault.PROVIDER)


def _errcode(text: str) -> int | None:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return None
    errcode = answer.get("errcode") if isinstance(answer, dict) else None
    return errcode if type(errcode) is int else None


def _not_wecom(status: int, text: str) -> Outcome:
    """Something between us and WeCom answered: a firewall's page, a proxy's error.

    It stands in for WeCom, so the message was not accepted. Only a gateway that waited for WeCom
    in vain (504, RFC 9110 section 15.6.5) may have handed it over.
    """
    verdict = Verdict.UNKNOWN if status == _GATEWAY_TIMEOUT else Verdict.RETRYING
    reply = f"HTTP {status}: {' '.join(text.split())}"[:_MOST_REPLY]
    return Outcome(verdict, f"wecom-http-{status}", reply, fault=Fault.PROVIDER)
