"""A digest as typed, immutable values: what every channel renders from.

Inline structure (bold, code, links) is kept, so that no channel has to guess it back from
HTML or from text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "yi", "ps", "ckb", "dv"})


@dataclass(frozen=True, slots=True)
class Text:
    """Characters with no markup. Never holds Markdown or HTML syntax."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """An inline code span."""

    text: str


@dataclass(frozen=True, slots=True)
class LineBreak:
    """A hard line break inside a paragraph."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture by address, with the words that stand for it."""

    url: str
    alt: str


@dataclass(frozen=True, slots=True)
class Strong:
    """Important text, usually bold."""

    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Emphasis:
    """Stressed text, usually italic."""

    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Strikethrough:
    """Text that is crossed out."""

    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A link; `url` is absolute (http, https or mailto) and percent-encoded where it must be."""

    url: str
    children: tuple[Inline, ...]


Inline: TypeAlias = Text | Code | LineBreak | Image | Strong | Emphasis | Strikethrough | Link


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A block of running text."""

    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside prose; `level` is 1 to 6."""

    level: int
    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """What somebody else said."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Preformatted text, kept as it is."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class ListBlock:
    """A bullet list (`start` is None) or a numbered one that begins at `start`."""

    items: tuple[tuple[Block, ...], ...]
    start: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first row is the header when `has_header`."""

    rows: tuple[tuple[tuple[Inline, ...], ...], ...]
    has_header: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """A thematic break inside prose."""


Block: TypeAlias = Paragraph | Heading | Quote | CodeBlock | ListBlock | Table | Rule


@dataclass(frozen=True, slots=True)
class Item:
    """One story."""

    #: Position as readers see it, from 1, unique in the digest.
    number: int
    title: tuple[Inline, ...]
    #: Absolute http(s) address of the source, or None for an item without a link.
    url: str | None
    body: tuple[Block, ...]
    #: Name of the section it stands in, or None.
    section: str | None = None
    #: Who wrote the source, where the edition names them.
    author: str | None = None


@dataclass(frozen=True, slots=True)
class ReaderWarning:
    """Something the reader dropped or guessed, shown to operators."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Digest:
    """One edition. A revision is identified by the SHA-256 of its source bytes."""

    revision: str
    title: str
    date: datetime | None
    #: BCP 47 tag: `zh-CN`, `en`, `ja`, `ar`, ...
    language: str
    categories: tuple[str, ...]
    #: What stands before the first item; the whole body when the edition is prose.
    intro: tuple[Block, ...]
    #: Section names in order of appearance.
    sections: tuple[str, ...]
    items: tuple[Item, ...]
    #: The editor's closing words; empty when there are none.
    commentary: tuple[Block, ...]
    #: `draft: true` in the front matter.
    draft: bool = False
    warnings: tuple[ReaderWarning, ...] = ()

    @property
    def direction(self) -> str:
        """As `direction_of` its language."""
        return direction_of(self.language)


def direction_of(language: str) -> str:
    """`rtl` for a BCP 47 tag of a language written from right to left, else `ltr`."""
    return "rtl" if language.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"
