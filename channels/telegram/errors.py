"""What a Bot API error means for one delivery.

A bot has no idempotency key and cannot read what it posted: whatever might have arrived is
`unknown`. Error texts are those of https://github.com/tdlib/telegram-bot-api and
https://core.telegram.org/api/errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import aiohttp
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from channels.base import Fault, Outcome, Verdict
from distributor.suppression import SuppressionReason

_LONGEST_REPLY = 500

#: What a call may raise. A reply with status 200 that is none of Telegram's fails anywhere in
#: python-telegram-bot, which checks no types.
ERRORS = (
    TelegramError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class _Meaning:
    """An outcome without the platform's words."""

    verdict: Verdict
    code: str
    fault: Fault
    retry_after: float | None = None
    suppress: SuppressionReason | None = None
    moved_to: str | None = None


_GONE = _Meaning(
    Verdict.FAILED,
    "tg-400-chat-not-found",
    Fault.RECIPIENT,
    suppress=SuppressionReason.CHAT_NOT_FOUND,
)
_FIXED = _Meaning(Verdict.FAILED, "tg-400-not-changeable", Fault.RECIPIENT)
_NO_RIGHTS = _Meaning(Verdict.FAILED, "tg-400-no-rights", Fault.RECIPIENT)
_CONTENT = _Meaning(Verdict.FAILED, "tg-400", Fault.CONTENT)

#: Answers to a 400 that speak of the chat and not of the message, in lower case.
_ABOUT_THE_CHAT = {
    "chat not found": _GONE,
    "chat_id is empty": _GONE,
    "peer_id_invalid": _GONE,
    "user not found": _GONE,
    "group chat was deactivated": _GONE,
    "message thread not found": _Meaning(
        Verdict.FAILED, "tg-400-thread-not-found", Fault.RECIPIENT
    ),
    "topic_closed": _Meaning(Verdict.FAILED, "tg-400-topic-closed", Fault.RECIPIENT),
    "not enough rights": _NO_RIGHTS,
    "have no rights to send": _NO_RIGHTS,
    "need administrator rights": _NO_RIGHTS,
    "chat_write_forbidden": _NO_RIGHTS,
    "chat_send_plain_forbidden": _NO_RIGHTS,
    "message to edit not found": _FIXED,
    "message can't be edited": _FIXED,
    "message can't be deleted": _FIXED,
}

#: Refusals of a change that is made already.
_NOTHING_TO_DO = ("message is not modified", "message to delete not found")

#: Statuses that PTB reports as a plain `NetworkError` with the words of the server alone.
_NOT_ACCEPTED = {
    "request entity too large": _Meaning(Verdict.FAILED, "tg-413", Fault.CONTENT),
    "too many requests": _Meaning(Verdict.RETRYING, "tg-429", Fault.PROVIDER),
}

#: Transport errors that happen before a byte of the request has left.
_NEVER_SENT = {
    aiohttp.ConnectionTimeoutError: "tg-connect-timeout",
    aiohttp.ClientConnectorError: "tg-connect",
    aiohttp.ClientHttpProxyError: "tg-proxy",
    aiohttp.InvalidURL: "tg-connect",
}


def outcome_of(error: Exception, token: str) -> Outcome:
    """The outcome of a call that raised `error`; `token` never appears in it."""
    meaning = _meaning(error)
    return Outcome(
        verdict=meaning.verdict,
        code=meaning.code,
        reply=without_token(str(error) or type(error).__name__, token)[:_LONGEST_REPLY],
        fault=meaning.fault,
        retry_after=meaning.retry_after,
        suppress=meaning.suppress,
        moved_to=meaning.moved_to,
    )


def says_nothing_to_do(error: Exception) -> bool:
    """Whether Telegram refused to change a message only because it is so already."""
    words = str(error).lower()
    return isinstance(error, BadRequest) and any(one in words for one in _NOTHING_TO_DO)


def without_token(text: str, token: str) -> str:
    """`text` with the bot's token blacked out, also where only its secret half is left of it."""
    secret_half = token.partition(":")[2]
    text = text.replace(token, "[token]")
    return text.replace(secret_half, "[token]") if secret_half else text


def _meaning(error: Exception) -> _Meaning:
    """By class, the most special first: `BadRequest` and `TimedOut` are `NetworkError`s too."""
    match error:
        case RetryAfter():
            meaning = _Meaning(
                Verdict.RETRYING, "tg-429", Fault.PROVIDER, retry_after=_seconds(error.retry_after)
            )
        case ChatMigrated():
            meaning = _Meaning(
                Verdict.RETRYING,
                "tg-400-migrated",
                Fault.RECIPIENT,
                retry_after=0,
                moved_to=str(error.new_chat_id),
            )
        case Forbidden():
            meaning = _Meaning(
                Verdict.FAILED,
                "tg-403-blocked",
                Fault.RECIPIENT,
                suppress=SuppressionReason.BLOCKED,
            )
        case InvalidToken():
            meaning = _Meaning(Verdict.RETRYING, "tg-401", Fault.ACCOUNT)
        case BadRequest():
            meaning = _by_words(str(error), _ABOUT_THE_CHAT) or _CONTENT
        case Conflict():
            meaning = _Meaning(Verdict.RETRYING, "tg-409", Fault.PROVIDER)
        case NetworkError():
            meaning = _network_meaning(error)
        case _:
            meaning = _unknown("tg-unreadable-reply")
    return meaning


def _network_meaning(error: NetworkError) -> _Meaning:
    cause = error.__cause__
    for kind, code in _NEVER_SENT.items():
        if isinstance(cause, kind):
            return _Meaning(Verdict.RETRYING, code, Fault.PROVIDER)
    if isinstance(error, TimedOut):
        return _unknown("tg-timeout")
    if isinstance(cause, aiohttp.ClientError):
        return _unknown("tg-connection-lost")
    return _by_words(str(error), _NOT_ACCEPTED) or _unknown("tg-5xx")


def _unknown(code: str) -> _Meaning:
    return _Meaning(Verdict.UNKNOWN, code, Fault.PROVIDER)


def _by_words(text: str, meanings: dict[str, _Meaning]) -> _Meaning | None:
    lower = text.lower()
    return next((meaning for words, meaning in meanings.items() if words in lower), None)


def _seconds(wait: int | timedelta) -> float:
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
