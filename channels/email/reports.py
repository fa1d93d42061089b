"""What comes back by email: delivery status notifications (RFC 3464) and complaints (RFC 5965).

Read with Python's own parser, from whatever arrives at the bounce address: nothing in it is
trusted, and whatever is not a report is called so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from enum import StrEnum

from channels.email.headers import clean

#: Of a report, in octets: more cannot be about one of our messages.
MAX_REPORT = 10_000_000
_MAX_WORDS = 500
#: Of a single header field, in characters: longer ones are nobody's address.
_MAX_FIELD = 2000
#: Of a report that is only text, in characters: what stands further down is the message returned.
_MAX_PROSE = 20_000
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_REPLY_CODE = re.compile(r"(?m)(?:^|[\s:(])([45]\d\d)[ -]")
_ADDRESS = re.compile(r"[^\s<>\"';,:()@]{1,64}@[A-Za-z0-9.-]{1,253}[A-Za-z0-9]")
_MESSAGE_ID = re.compile(r"(?im)^message-id:\s*(<[^<>\s]{3,500}>)")
_UNSUBSCRIBE = re.compile(r"(?im)^list-unsubscribe:\s*<([^<>]{1,998})>")
#: Feedback types (RFC 5965, section 7.3) with which no reader complains.
_NO_COMPLAINTS = frozenset({"not-spam", "auth-failure"})
_BOUNCE_WORDS = re.compile(
    r"(?i)undeliver|not be delivered|delivery (status|failure|has failed)|returned mail|"
    r"mail delivery (failed|system|subsystem)|failure notice|退信|投递失败"
)


class ReportKind(StrEnum):
    #: Given up: it will not arrive.
    BOUNCE = "bounce"
    #: Not yet arrived; the other side still tries.
    DELAY = "delay"
    #: The reader said that it is spam.
    COMPLAINT = "complaint"
    #: A receipt, an answer of a person or a machine, or nothing that we understand.
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Report:
    """What a returned message says. Every text in it is somebody else's claim."""

    kind: ReportKind
    #: RFC 3463 status of a bounce or delay, `5.1.1`; empty when it has none.
    status: str
    #: The other mail system's words on one line, at most 500 characters.
    words: str
    #: Whom it is about, in lower case; may name several.
    addresses: tuple[str, ...]
    #: Addresses that it was sent to: the one with the token is among them.
    sent_to: tuple[str, ...]
    #: Of the message that came back; empty when that is not enclosed.
    message_id: str
    #: The List-Unsubscribe URL of the message that came back.
    unsubscribe_url: str


def read(octets: bytes, envelope_to: str = "") -> Report:
    """What the message `octets` reports; `envelope_to` is whom it was delivered to, if known."""
    message = message_from_bytes(octets[:MAX_REPORT], policy=policy.compat32)
    enclosed = _enclosed(message)
    if feedback := _part(message, "message/feedback-report"):
        kind, status, words, addresses = _complaint(feedback, enclosed)
    elif delivery_status := _part(message, "message/delivery-status"):
        kind, status, words, addresses = _notification(delivery_status)
    else:
        kind, status, words, addresses = _prose(message)
    if kind is ReportKind.OTHER:
        # What somebody's answer quotes says nothing about a delivery.
        enclosed = ""
    return Report(
        kind,
        status,
        words,
        addresses,
        sent_to=tuple(_sent_to(message, envelope_to)),
        message_id=_first(_MESSAGE_ID, enclosed),
        unsubscribe_url="".join(_first(_UNSUBSCRIBE, enclosed).split()),
    )


def _notification(part: Message) -> tuple[ReportKind, str, str, tuple[str, ...]]:
    """Kind, status, words and addresses of a delivery status notification.

    Of several recipients the first that failed counts; our messages have one each.
    """
    blocks = [block for block in _blocks(part) if block.get("Action") or block.get("Status")]
    failed = [block for block in blocks if _action(block) == "failed"]
    delayed = [block for block in blocks if _action(block) == "delayed"]
    chosen = failed or delayed
    addresses = tuple(dict.fromkeys(a for block in chosen or blocks for a in _recipients(block)))
    if not chosen:
        return ReportKind.OTHER, "", "no recipient failed", addresses
    first = chosen[0]
    words = _typed(first.get("Diagnostic-Code")) or str(first.get("Status", ""))
    kind = ReportKind.BOUNCE if failed else ReportKind.DELAY
    return kind, _status(str(first.get("Status", "")), words), _one_line(words), addresses


def _action(block: Message) -> str:
    action = str(block.get("Action", "")).strip().lower()
    # Some leave out what RFC 3464 demands; the status tells as much.
    return action or ("failed" if str(block.get("Status", "")).strip().startswith("5") else "")


def _status(stated: str, words: str) -> str:
    """The status, preferring a precise one in the words to a general one (`5.0.0`) stated."""
    found = _STATUS.search(stated)
    status = found[1] if found else ""
    precise = _STATUS.search(words)
    if precise and (not status or (status[1:] == ".0.0" and precise[1][0] == status[0])):
        return precise[1]
    return status


def _complaint(part: Message, enclosed: str) -> tuple[ReportKind, str, str, tuple[str, ...]]:
    """Kind, no status, words and addresses of a feedback report."""
    (block, *_) = [*_blocks(part), Message()]
    about = _one_line(str(block.get("Feedback-Type", "abuse"))).lower()
    agent = _one_line(str(block.get("User-Agent", "")))
    named = [str(value) for value in block.get_all("Original-Rcpt-To", [])]
    named += re.findall(r"(?im)^to:(.*)$", enclosed)[:1]
    addresses = tuple(dict.fromkeys(a for text in named for a in _addresses(text)))
    kind = ReportKind.OTHER if about in _NO_COMPLAINTS else ReportKind.COMPLAINT
    return kind, "", f"{about} reported{f' by {agent}' if agent else ''}"[:_MAX_WORDS], addresses


def _prose(message: Message) -> tuple[ReportKind, str, str, tuple[str, ...]]:
    """A report in words alone, as some systems still write; everything else is `OTHER`."""
    subject = _one_line(str(message.get("Subject", "")))
    failed = str(message.get("X-Failed-Recipients", ""))
    if not failed and not (_BOUNCE_WORDS.search(subject) and _is_from_a_machine(message)):
        return ReportKind.OTHER, "", subject, ()
    text = _text(message)[:_MAX_PROSE]
    status = _STATUS.search(text)
    code = _REPLY_CODE.search(text)
    words = next((line for line in text.splitlines() if _REPLY_CODE.search(line)), subject)
    kind = ReportKind.BOUNCE
    if not status and code and code[1].startswith("4"):
        kind = ReportKind.DELAY
    addresses = tuple(_addresses(failed or text))
    return kind, status[1] if status else "", _one_line(words), addresses


def _is_from_a_machine(message: Message) -> bool:
    """Whether it comes from nobody: a null return path, or a mail system's usual names."""
    if str(message.get("Return-Path", "")).strip() == "<>":
        return True
    sender = str(message.get("From", "")).lower()
    return any(name in sender for name in ("mailer-daemon", "postmaster", "mail delivery"))


def _recipients(block: Message) -> Iterator[str]:
    for name in ("Original-Recipient", "Final-Recipient"):
        yield from _addresses(_typed(block.get(name)))


def _typed(value: object) -> str:
    """What follows the type in a field such as `rfc822; reader@example.net`."""
    text = str(value or "")
    kind, semicolon, rest = text.partition(";")
    return rest.strip() if semicolon and kind.strip().replace("-", "").isalnum() else text.strip()


def _addresses(text: str) -> Iterator[str]:
    for found in _ADDRESS.findall(text[:_MAX_FIELD]):
        yield found.lower()


def _sent_to(message: Message, envelope_to: str) -> Iterator[str]:
    if envelope_to:
        yield envelope_to
    for name in ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To"):
        for value in message.get_all(name, []):
            yield str(value)[:_MAX_FIELD]
    # The message that came back names it as its own return path, if it got so far.
    yield from re.findall(rf"(?im)^return-path:(.{{,{_MAX_FIELD}}})", _enclosed(message))


def _part(message: Message, media_type: str) -> Message | None:
    return next((part for part in message.walk() if part.get_content_type() == media_type), None)


def _blocks(part: Message) -> list[Message]:
    """The groups of fields in a machine-readable part, however the parser took it."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return [block for block in payload if isinstance(block, Message)]
    text = _decoded(part)
    return [message_from_bytes(block.encode()) for block in re.split(r"\r?\n\r?\n", text) if block]


def _enclosed(message: Message) -> str:
    """The headers of the message that came back, as text."""
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822" and part is not message:
            payload = part.get_payload()
            inner = payload[0] if isinstance(payload, list) and payload else None
            if isinstance(inner, Message):
                return "\n".join(f"{name}: {_unfolded(value)}" for name, value in inner.items())
        if kind in ("text/rfc822-headers", "message/rfc822-headers"):
            return re.sub(r"\r?\n[ \t]+", " ", _decoded(part))
    text = _text(message)
    found = _MESSAGE_ID.search(text)
    return re.sub(r"\r?\n[ \t]+", " ", text[max(0, found.start() - 5000) :]) if found else ""


def _unfolded(value: object) -> str:
    return re.sub(r"\r?\n[ \t]*", " ", str(value))


def _text(message: Message) -> str:
    if not message.is_multipart():
        return _decoded(message)
    parts = (part for part in message.walk() if part.get_content_type() == "text/plain")
    return "\n".join(_decoded(part) for part in parts)


def _decoded(part: Message) -> str:
    octets = part.get_payload(decode=True)
    if not isinstance(octets, bytes):
        return ""
    try:
        return octets.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return octets.decode("utf-8", "replace")


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""


def _one_line(text: str) -> str:
    return clean(text[:_MAX_FIELD])[:_MAX_WORDS]
