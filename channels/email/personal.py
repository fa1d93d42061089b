"""What differs from reader to reader inside a body: marks in the rendering, filled at sending.

The marks begin with a key made from the edition's revision, the hash of its source, so nothing
that is written in a digest can be one of them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from channels.base import Recipient
from channels.email.blocks_html import is_safe_url
from channels.email.headers import clean

_READER, _UNSUBSCRIBE_URL = "reader", "unsubscribe-url"
_NAME, _ATTRIBUTE, _URL_ATTRIBUTE = "name", "attribute", "url-attribute"
_IF_UNSUBSCRIBE, _END_IF = "if-unsubscribe", "end-if"
#: Of a reader's own value, in characters: longer ones are cut.
_MAX_VALUE = 500

#: A tag up to somewhere in the address of a link.
_OPEN_LINK = re.compile(r"""<[^<>]*\s(?:href|src)\s*=\s*(?:"([^"]*)|'([^']*))""", re.IGNORECASE)


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
        return f"{self.key}-{_NAME}-{_hex(default)}-"

    def attribute(self, name: str, default: str = "", *, url: bool = False) -> str:
        """Stands for an attribute that the reader was imported with, or `default` without it.

        `url`: percent-encoded, for a link that is written as text; in a link of the HTML every
        value is.
        """
        kind = _URL_ATTRIBUTE if url else _ATTRIBUTE
        return f"{self.key}-{kind}-{_hex(name)}-{_hex(default)}-"

    def first_in(self, body: str) -> int:
        """Where the part of `body` that differs per reader begins; its length if nowhere."""
        position = body.find(self.key)
        return len(body) if position < 0 else position


@dataclass(frozen=True, slots=True)
class _Value:
    """A place for a reader's own value."""

    kind: str
    name: str
    default: str
    #: Makes the value what it has to be where it stands.
    write: Callable[[str], str]
    #: Whether it is, or begins, the address of a link.
    is_link: bool

    def of(self, recipient: Recipient) -> str:
        value = self._own(recipient)
        if self.is_link and not is_safe_url(value):
            value = ""
        return self.write(value or self.default)

    def _own(self, recipient: Recipient) -> str:
        match self.kind:
            case "unsubscribe-url":
                return recipient.unsubscribe_url
            case "attribute" | "url-attribute":
                return clean(str(recipient.attributes.get(self.name, "")))[:_MAX_VALUE]
            case "name":
                return clean(recipient.name)[:_MAX_VALUE]
            case _:
                return clean(recipient.name)[:_MAX_VALUE] or recipient.address


_Piece = str | _Value


@dataclass(frozen=True, slots=True)
class Personal:
    """A body cut at its marks once, so that filling it in is joining strings."""

    #: What comes before the first mark.
    same: str
    #: The rest, for readers with an unsubscribe address and for those without.
    with_unsubscribe: tuple[_Piece, ...]
    without: tuple[_Piece, ...]

    @classmethod
    def of_html(cls, body: str, marks: Marks) -> Personal:
        """An HTML body ready to be filled in: values are escaped by the place where they stand.

        A value that begins a link's address must be a web or mail address, else the default
        stands there, or nothing; one further on in such an address is percent-encoded.
        """
        return cls._of(body, marks, html.escape, has_links=True)

    @classmethod
    def of_text(cls, body: str, marks: Marks) -> Personal:
        """As `of_html` for plain text, where values stand as they are."""
        return cls._of(body, marks, str, has_links=False)

    @classmethod
    def _of(
        cls, body: str, marks: Marks, write: Callable[[str], str], *, has_links: bool
    ) -> Personal:
        passage = re.compile(f"{marks.if_unsubscribe}(.*?){marks.end_if}", re.DOTALL)
        start = marks.first_in(body)
        cuts = (
            tuple(_pieces(passage.sub(kept, body), start, marks, write, has_links))
            for kept in (r"\1", "")
        )
        return cls(body[:start], *cuts)

    @property
    def has_marks(self) -> bool:
        """Whether anything in it may differ from reader to reader."""
        return bool(self.with_unsubscribe or self.without)

    def fill(self, recipient: Recipient) -> str:
        """The body for `recipient`."""
        return self.same + self.fill_rest(recipient)

    def fill_rest(self, recipient: Recipient) -> str:
        """What follows `same` for `recipient`."""
        pieces = self.with_unsubscribe if recipient.unsubscribe_url else self.without
        return "".join([one if isinstance(one, str) else one.of(recipient) for one in pieces])


def _pieces(
    body: str, start: int, marks: Marks, write: Callable[[str], str], has_links: bool
) -> Iterator[_Piece]:
    pattern = re.compile(
        f"{marks.key}-(?:({_READER}|{_UNSUBSCRIBE_URL})|({_NAME})-([0-9a-f]*)-"
        f"|({_ATTRIBUTE}|{_URL_ATTRIBUTE})-([0-9a-f]*)-([0-9a-f]*)-)"
    )
    end = start
    for mark in pattern.finditer(body, start):
        if end < mark.start():
            yield body[end : mark.start()]
        end = mark.end()
        before = _link_before(body, mark.start()) if has_links else None
        match mark.groups():
            case (str(kind), *_):
                yield _value(kind, "", "", before, write)
            case (None, str(kind), str(default), *_):
                yield _value(kind, "", _unhex(default), before, write)
            case (None, None, None, str(kind), str(name), str(default)):
                yield _value(kind, _unhex(name), _unhex(default), before, write)
    if end < len(body):
        yield body[end:]


def _value(
    kind: str, name: str, default: str, before: str | None, write: Callable[[str], str]
) -> _Value:
    """`before`: what stands before it in the address of a link; None outside of one."""
    if before is not None and not before.strip():
        return _Value(kind, name, default if is_safe_url(default) else "", write, is_link=True)
    is_within_link = before is not None or kind == _URL_ATTRIBUTE
    return _Value(kind, name, default, _percent_encoded if is_within_link else write, is_link=False)


def _link_before(page: str, position: int) -> str | None:
    """The beginning of the link's address that `position` in HTML is in; None outside of one."""
    tag = page.rfind("<", 0, position)
    found = _OPEN_LINK.fullmatch(page, tag, position) if tag >= 0 else None
    return found[1] or found[2] or "" if found else None


def _percent_encoded(value: str) -> str:
    return quote(value, safe="")


def _hex(text: str) -> str:
    return text.encode().hex()


def _unhex(text: str) -> str:
    return bytes.fromhex(text).decode()
