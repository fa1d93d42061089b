"""Decodes what stands in a mail's headers."""

from __future__ import annotations

import email.errors
import email.header
from email.message import Message


def header(message: Message[str, str], name: str) -> str:
    """The decoded text of the first header called `name`, or an empty text."""
    found = (text for key, text in headers(message) if key.lower() == name.lower())
    return next(found, "")


def headers(message: Message[str, str]) -> list[tuple[str, str]]:
    """Every header with its decoded text, in the order of the message."""
    return [(name, _decoded(str(value))) for name, value in message.raw_items()]


def _decoded(raw: str) -> str:
    """Raw UTF-8 (RFC 6532) and RFC 2047 words as text; what is neither stays as it is."""
    unfolded = raw.replace("\r\n", "").replace("\n", "")
    text = unfolded.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if "=?" not in text:
        return text
    try:
        return str(email.header.make_header(email.header.decode_header(text)))
    except (LookupError, ValueError, email.errors.HeaderParseError):
        return text
