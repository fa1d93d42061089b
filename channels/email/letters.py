"""Letters: what comes to the bounce address and is no report, made readable for a person."""

from __future__ import annotations

from email.message import Message

from channels.email import mime
from channels.email.fields import one_line

#: Of a letter, in characters.
MAX_LETTER = 20_000
_HEADERS = ("From", "Reply-To", "To", "Date", "Subject")


def to_text(message: Message) -> str:
    """The headers that people look at and the text, without attachments; see `visible`."""
    fields = ((name, one_line(mime.header(message, name))) for name in _HEADERS)
    head = "\n".join(f"{name}: {value}" for name, value in fields if value)
    return visible(f"{head}\n\n{mime.text(message)}")


def visible(text: str) -> str:
    """`text` without control characters, at most 20,000 characters."""
    lines = (_visible_line(line) for line in text[:MAX_LETTER].splitlines())
    return "\n".join(lines).strip()[:MAX_LETTER]


def _visible_line(line: str) -> str:
    return "".join(char for char in line.expandtabs(4) if char.isprintable()).rstrip()
