"""Reading MIME messages of others: whatever is wrong in one, some text comes out of it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message

#: Charsets that senders name although they write one with more characters in it.
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030"}
#: Of a part in HTML, in characters: more than anybody reads as plain text.
_MAX_HTML = 200_000
#: None of these looks beyond the next `<`, so that no HTML takes long.
_STYLE = re.compile(r"(?i)<(?:style|script)\b[^<>]*>[^<]*")
_LINE_TAG = re.compile(r"(?i)</?(?:br|p|div|tr|li|table|h[1-6])\b[^<>]*>")
_TAG = re.compile(r"<[^<>]*>")


def header(message: Message, name: str) -> str:
    """The text of a header field with its encoded words (RFC 2047) decoded; empty without it."""
    value = message.get(name, "")
    try:
        pieces = decode_header(value)
    except HeaderParseError:
        return str(value)
    return "".join(
        piece if isinstance(piece, str) else _text(piece, charset) for piece, charset in pieces
    )


def part(message: Message, media_type: str) -> Message | None:
    """The first part of that type, wherever it is."""
    return next((one for one in message.walk() if one.get_content_type() == media_type), None)


def text(message: Message) -> str:
    """What a person would read, but nothing of a message that it encloses."""
    for media_type, to_text in (("text/plain", str), ("text/html", _without_tags)):
        parts = [one for one in _own_parts(message) if one.get_content_type() == media_type]
        if parts:
            return "\n".join(to_text(decoded(one)) for one in parts)
    return ""


def decoded(part: Message) -> str:
    """A part's text; whatever its charset does not know is replaced."""
    octets = part.get_payload(decode=True)
    return _text(octets, part.get_content_charset()) if isinstance(octets, bytes) else ""


def _own_parts(message: Message) -> Iterator[Message]:
    yield message
    payload = message.get_payload()
    if message.get_content_maintype() == "multipart" and isinstance(payload, list):
        for one in payload:
            if isinstance(one, Message):
                yield from _own_parts(one)


def _text(octets: bytes, charset: str | None) -> str:
    name = (charset or "utf-8").lower()
    try:
        return octets.decode(_WIDER.get(name, name), "replace")
    except (LookupError, ValueError):
        return octets.decode("utf-8", "replace")


def _without_tags(source: str) -> str:
    source = _STYLE.sub(" ", source[:_MAX_HTML])
    return html.unescape(_TAG.sub(" ", _LINE_TAG.sub("\n", source)))
