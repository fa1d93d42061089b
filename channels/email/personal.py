"""What differs from reader to reader inside a body: marks in the rendering, filled at sending.

The marks begin with a key made from the edition's revision, the hash of its source, so nothing
that is written in a digest can be one of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from channels.base import Recipient
from channels.email.headers import clean

_READER, _UNSUBSCRIBE_URL = "reader", "unsubscribe-url"
_IF_UNSUBSCRIBE, _END_IF = "if-unsubscribe", "end-if"
#: Of a reader's own value, in characters: longer ones are cut.
_MAX_VALUE = 500


@dataclass(frozen=True, slots=True)
class Marks:
    """Placeholders of one rendering; plain ASCII words that survive HTML and text alike."""

    key: str

    @classmethod
    def of_revision(cls, revision: str) -> Marks:
        """The marks for the digest `revision`."""
        return cls(sha256(f"email marks {revision}".encode()).hexdigest()[:20])

    @property
    def reader(self) -> str:
        """Stands for the reader's name, or address where there is no name."""
        return f"{self.key}-{_READER}"

    @property
    def unsubscribe_url(self) -> str:
        """Stands for the reader's own unsubscribe address."""
        return f"{self.key}-{_UNSUBSCRIBE_URL}"

    @property
    def if_unsubscribe(self) -> str:
        """Begins a passage that is left out when the reader has no unsubscribe address."""
        return f"{self.key}-{_IF_UNSUBSCRIBE}"

    @property
    def end_if(self) -> str:
        """Ends such a passage."""
        return f"{self.key}-{_END_IF}"

    def name(self, default: str) -> str:
        """Stands for the reader's name, or `default` where there is none."""
        return f"{self.key}-name-{_hex(default)}-"

    def attribute(self, name: str, default: str = "") -> str:
        """Stands for an attribute that the reader was imported with, or `default` without it."""
        return f"{self.key}-attribute-{_hex(name)}-{_hex(default)}-"

    def first_in(self, body: str) -> int:
        """Where the part of `body` that differs per reader begins; its length if nowhere."""
        position = body.find(self.key)
        return len(body) if position < 0 else position


@dataclass(frozen=True, slots=True)
class _Value:
    """A place for a reader's own value."""

    kind: str
    name: str = ""
    default: str = ""

    def of(self, recipient: Recipient) -> str:
        match self.kind:
            case "unsubscribe-url":
                return recipient.unsubscribe_url
            case "attribute":
                value = clean(str(recipient.attributes.get(self.name, "")))
                return value[:_MAX_VALUE] or self.default
            case "name":
                return clean(recipient.name)[:_MAX_VALUE] or self.default
            case _:
                return clean(recipient.name)[:_MAX_VALUE] or recipient.address


_Piece = str | _Value


@dataclass(frozen=True, slots=True)
class Personal:
    """A body cut at its marks once, so that filling it in is joining strings."""

    with_unsubscribe: tuple[_Piece, ...]
    without: tuple[_Piece, ...]

    @classmethod
    def of(cls, body: str, marks: Marks) -> Personal:
        """`body` ready to be filled in for any reader."""
        passage = re.compile(f"{marks.if_unsubscribe}(.*?){marks.end_if}", re.DOTALL)
        return cls(
            tuple(_pieces(passage.sub(r"\1", body), marks)),
            tuple(_pieces(passage.sub("", body), marks)),
        )

    def fill(self, recipient: Recipient, escape: Callable[[str], str]) -> str:
        """The body for `recipient`; `escape` is applied to each value of theirs."""
        pieces = self.with_unsubscribe if recipient.unsubscribe_url else self.without
        return "".join(
            [one if isinstance(one, str) else escape(one.of(recipient)) for one in pieces]
        )


def _pieces(body: str, marks: Marks) -> Iterator[_Piece]:
    pattern = re.compile(
        f"{marks.key}-(?:({_READER}|{_UNSUBSCRIBE_URL})|name-([0-9a-f]*)-"
        "|attribute-([0-9a-f]*)-([0-9a-f]*)-)"
    )
    end = 0
    for mark in pattern.finditer(body):
        yield body[end : mark.start()]
        end = mark.end()
        match mark.groups():
            case (str(kind), None, None, None):
                yield _Value(kind)
            case (None, str(default), None, None):
                yield _Value("name", default=_unhex(default))
            case (None, None, str(name), str(default)):
                yield _Value("attribute", _unhex(name), _unhex(default))
    yield body[end:]


def _hex(text: str) -> str:
    return text.encode().hex()


def _unhex(text: str) -> str:
    return bytes.fromhex(text).decode()
