"""What comes back by email: delivery status notifications (RFC 3464) and complaints (RFC 5965).

Read with Python's own parser, from whatever arrives at the bounce address: nothing in it is
trusted, and whatever is not a report is called so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.utils import parseaddr

from channels.email import letters, mime, prose, status_codes
from channels.email.fields import MAX_FIELD, addresses_in, one_line
from channels.email.findings import Finding, ReportKind

_MESSAGE_ID = re.compile(r"(?im)^message-id:\s*(<[^<>\s]{3,500}>)")
_UNSUBSCRIBE = re.compile(r"(?im)^list-unsubscribe:\s*<([^<>]{1,998})>")
_RETURN_PATH = re.compile(rf"(?im)^(?:x-)?return-path:(.{{,{MAX_FIELD}}})")
#: Outlook.com's Junk Mail Reporting Program writes no feedback reports: it encloses the message,
#: and names the reader in a field of its own there.
_OUTLOOK_SENDER = "staff@hotmail.com"
_OUTLOOK_READER = re.compile(r"(?im)^x-hmxmroriginalrecipient:(.*)$")
#: Feedback types (RFC 5965, section 7.3) with which no reader complains.
_NO_COMPLAINTS = frozenset({"not-spam", "auth-failure"})


@dataclass(frozen=True, slots=True)
class Report(Finding):
    """What a returned message says, and which of ours it is about."""

    #: Addresses that it, or the message that came back, was sent to or from: the one with the
    #: token is among them.
    sent_to: tuple[str, ...]
    #: Of the message that came back; empty when that is not enclosed.
    message_id: str
    #: The List-Unsubscribe URL of the message that came back.
    unsubscribe_url: str
    #: What a person is to read (see `letters.to_text`), if it is no report or one without a
    #: machine-readable part, which a person may have written; else empty.
    letter: str


def read(octets: bytes, envelope_to: str = "") -> Report:
    """What the message `octets` reports; `envelope_to` is whom it was delivered to, if known.

    Only the first 500,000 octets are read: what counts in a report comes before the message that
    it encloses.
    """
    try:
        return _read(mime.parse(octets), envelope_to)
    except (mime.TooDeeplyNested, RecursionError):
        return _unreadable(octets, envelope_to)


def _read(message: Message, envelope_to: str) -> Report:
    enclosed = _enclosed(message)
    feedback = mime.part(message, "message/feedback-report")
    delivery_status = mime.part(message, "message/delivery-status")
    may_be_a_letter = not feedback and not delivery_status
    if feedback:
        found = _complaint(feedback, enclosed)
    elif delivery_status:
        found = _notification(delivery_status)
    else:
        found = _complaint_to_outlook(message, enclosed) or prose.read(message)
    is_letter = found.kind is ReportKind.OTHER or (may_be_a_letter and found.kind.is_report)
    if not found.kind.is_report:
        # What somebody's answer quotes says nothing about a delivery.
        enclosed, feedback = "", None
    return Report(
        found.kind,
        found.status,
        found.words,
        found.addresses,
        sent_to=tuple(_sent_to(message, envelope_to, feedback, enclosed)),
        message_id=_first(_MESSAGE_ID, enclosed),
        unsubscribe_url="".join(_first(_UNSUBSCRIBE, enclosed).split()),
        letter=letters.to_text(message) if is_letter else "",
    )


def _unreadable(octets: bytes, envelope_to: str) -> Report:
    return Report(
        ReportKind.OTHER,
        status="",
        words="nested too deeply to be read",
        addresses=(),
        sent_to=(envelope_to,) if envelope_to else (),
        message_id="",
        unsubscribe_url="",
        letter=letters.visible(octets[: letters.MAX_LETTER].decode("utf-8", "replace")),
    )


def _notification(part: Message) -> Finding:
    """What a delivery status notification says.

    Of several recipients the first that failed counts; our messages have one each.
    """
    blocks = [block for block in _blocks(part) if block.get("Action") or block.get("Status")]
    failed = [block for block in blocks if _action(block) == "failed"]
    delayed = [block for block in blocks if _action(block) == "delayed"]
    chosen = failed or delayed
    addresses = tuple(dict.fromkeys(a for block in chosen or blocks for a in _recipients(block)))
    if not chosen:
        return Finding(ReportKind.OTHER, "", "no recipient failed", addresses)
    first = chosen[0]
    words = _typed(first.get("Diagnostic-Code")) or str(first.get("Status", ""))
    kind = ReportKind.BOUNCE if failed else ReportKind.DELAY
    stated = status_codes.stated(str(first.get("Status", "")))
    status = status_codes.more_precise(stated, words)
    return Finding(kind, status, one_line(words), addresses)


def _action(block: Message) -> str:
    action = str(block.get("Action", "")).strip().lower()
    # Some leave out what RFC 3464 demands; the status tells as much.
    return action or ("failed" if str(block.get("Status", "")).strip().startswith("5") else "")


def _complaint(part: Message, enclosed: str) -> Finding:
    """What a feedback report says."""
    block = _feedback(part)
    about = one_line(str(block.get("Feedback-Type", "abuse"))).lower()
    agent = one_line(str(block.get("User-Agent", "")))
    named = [str(value) for value in block.get_all("Original-Rcpt-To", [])]
    named += re.findall(r"(?im)^to:(.*)$", enclosed)[:1]
    addresses = tuple(dict.fromkeys(a for text in named for a in addresses_in(text)))
    kind = ReportKind.OTHER if about in _NO_COMPLAINTS else ReportKind.COMPLAINT
    words = one_line(f"{about} reported{f' by {agent}' if agent else ''}")
    return Finding(kind, "", words, addresses)


def _complaint_to_outlook(message: Message, enclosed: str) -> Finding | None:
    """What Outlook.com says of a reader who complained; None for any other message."""
    _, sender = parseaddr(mime.header(message, "From"))
    reader = _first(_OUTLOOK_READER, enclosed)
    if sender.lower() != _OUTLOOK_SENDER or not reader:
        return None
    words = "abuse reported by Outlook.com"
    return Finding(ReportKind.COMPLAINT, "", words, tuple(addresses_in(reader)))


def _feedback(part: Message) -> Message:
    """The fields of a feedback report, none when it is empty."""
    return next(iter(_blocks(part)), Message())


def _recipients(block: Message) -> Iterator[str]:
    for name in ("Original-Recipient", "Final-Recipient"):
        yield from addresses_in(_typed(block.get(name)))


def _typed(value: object) -> str:
    """What follows the type in a field such as `rfc822; reader@example.net`."""
    text = str(value or "")
    kind, semicolon, rest = text.partition(";")
    return rest.strip() if semicolon and kind.strip().replace("-", "").isalnum() else text.strip()


def _sent_to(
    message: Message, envelope_to: str, feedback: Message | None, enclosed: str
) -> Iterator[str]:
    if envelope_to:
        yield envelope_to
    for name in ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To"):
        for value in message.get_all(name, []):
            yield str(value)[:MAX_FIELD]
    # Where everything else is blacked out, as feedback loops do (RFC 5965, section 3.2).
    if feedback:
        for value in _feedback(feedback).get_all("Original-Mail-From", []):
            yield str(value)[:MAX_FIELD]
    # The message that came back names it as its own return path, if it got so far.
    yield from _RETURN_PATH.findall(enclosed)


def _blocks(part: Message) -> list[Message]:
    """The groups of fields in a machine-readable part, however the parser took it."""
    if blocks := mime.parts(part):
        return blocks
    text = mime.decoded(part)
    return [mime.parse(block.encode()) for block in re.split(r"\r?\n\r?\n", text) if block]


def _enclosed(message: Message) -> str:
    """The headers of the message that came back, as text."""
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822" and part is not message:
            for inner in mime.parts(part)[:1]:
                return "\n".join(f"{name}: {_unfolded(value)}" for name, value in inner.items())
        if kind in ("text/rfc822-headers", "message/rfc822-headers"):
            return re.sub(r"\r?\n[ \t]+", " ", mime.decoded(part))
    text = mime.text(message)
    found = _MESSAGE_ID.search(text)
    return re.sub(r"\r?\n[ \t]+", " ", text[max(0, found.start() - 5000) :]) if found else ""


def _unfolded(value: object) -> str:
    return re.sub(r"\r?\n[ \t]*", " ", str(value))


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
