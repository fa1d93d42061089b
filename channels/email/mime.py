"""Reading MIME messages of others: whatever is wrong in one, some text comes out of it."""

from __future__ import annotations

import codecs
import html
import re
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.policy import Compat32

#: Of a message, in octets: what a report has to say comes first, and before what it encloses.
_MAX_MESSAGE = 500_000
#: Of a header field, in characters; decoding takes quadratic time.
_MAX_HEADER = 10_000
#: Of a part's text, in octets: more than anybody reads.
_MAX_TEXT = 200_000
#: Multiparts in a message. The parser compares each line with the boundaries of all around it.
_MAX_MULTIPARTS = 20
#: Charsets that senders name although they write one with more characters in it.
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030"}
#: Python's names of codecs that no mail is written in: slow, or making lone surrogates.
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape", "utf-7"})
#: None of these looks beyond the next `<`, so that no HTML takes long.
_STYLE = re.compile(r"(?i)<(?:style|script)\b[^<>]*>[^<]*")
_LINE_TAG = re.compile(r"(?i)</?(?:br|p|div|tr|li|table|h[1-6])\b[^<>]*>")
_TAG = re.compile(r"<[^<>]*>")


class TooDeeplyNested(ValueError):
    """A message of parts within parts, made by somebody who wants a reader to fail."""


class _ShortHeaders(Compat32):
    """Cuts header fields off after 10,000 characters."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_MAX_HEADER]


_POLICY = _ShortHeaders()


def parse(octets: bytes) -> Message:
    """The first 500,000 octets of a message.

    Raises `TooDeeplyNested`, and `RecursionError` for messages in messages.
    """
    octets = octets[:_MAX_MESSAGE]
    if octets.lower().count(b"multipart/") > _MAX_MULTIPARTS:
        raise TooDeeplyNested
    return message_from_bytes(octets, policy=_POLICY)


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
    """What a person would read, but nothing attached, and nothing of a message that it encloses.

    Of alternatives (RFC 2046, section 5.1.4) the first that is not blank: it is the plainest.
    """
    if message.get_content_maintype() != "multipart":
        return _own_text(message)
    own = (one for one in parts(message) if one.get_content_disposition() != "attachment")
    texts = (one for one in map(text, own) if one.strip())
    if message.get_content_subtype() == "alternative":
        return next(texts, "")
    return "\n".join(texts)


def parts(message: Message) -> list[Message]:
    """The messages and parts right in this one; none when it has only a text."""
    # Without parts, `get_payload` would decode the text by whatever charset the sender names.
    payload = message.get_payload() if message.is_multipart() else []
    return [one for one in payload if isinstance(one, Message)]


def decoded(part: Message) -> str:
    """A part's text, of its first 200,000 octets; what its charset does not know is replaced."""
    octets = part.get_payload(decode=True)
    if not isinstance(octets, bytes):
        return ""
    return _text(octets[:_MAX_TEXT], part.get_content_charset())


def _own_text(part: Message) -> str:
    match part.get_content_type():
        case "text/plain":
            return decoded(part)
        case "text/html":
            return _without_tags(decoded(part))
    return ""


def _text(octets: bytes, charset: str | None) -> str:
    name = (charset or "utf-8").lower()
    try:
        codec = codecs.lookup(_WIDER.get(name, name)).name
        if codec in _NO_CHARSETS:
            codec = "ascii"
        return octets.decode(codec, "replace")
    except (LookupError, ValueError):
        return octets.decode("utf-8", "replace")


def _without_tags(source: str) -> str:
    source = _STYLE.sub(" ", source)
    return html.unescape(_TAG.sub(" ", _LINE_TAG.sub("\n", source)))
