"""Blocks and inlines of a digest as HTML that an Official Account's editor keeps.

The editor strips classes, tables, lists' markers, `<pre>` and links to other sites. So every
style is inline with a colour on every paragraph, rows and list items are paragraphs with literal
markers, code is lines with breaks, and a link is its words with the number of a footnote.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import assert_never

from markupsafe import Markup

from channels.wechat.article.themes import Theme
from distributor.digest.model import (
    Block,
    Code,
    CodeBlock,
    Emphasis,
    Heading,
    Image,
    Inline,
    LineBreak,
    Link,
    ListBlock,
    Paragraph,
    Quote,
    Rule,
    Strikethrough,
    Strong,
    Table,
    Text,
)
from distributor.digest.plain import inline_text


@dataclass(frozen=True, slots=True)
class Footnote:
    """A link's number, the words that stand for it, and its address."""

    number: int
    title: str
    url: str


@dataclass(slots=True)
class Footnotes:
    """Numbers links as they come, each address once."""

    _by_url: dict[str, Footnote] = field(default_factory=dict)

    def number(self, url: str, title: str) -> int:
        """The number of `url`, which is `title`'s if it is new."""
        new = Footnote(len(self._by_url) + 1, title or url, url)
        return self._by_url.setdefault(url, new).number

    def __iter__(self) -> Iterator[Footnote]:
        return iter(self._by_url.values())


@dataclass(frozen=True, slots=True)
class ArticleMarkup:
    """Turns structure into HTML in the colours of a theme."""

    theme: Theme
    footnotes: Footnotes
    #: Addresses of the pictures met so far, in their order, with the words that stand for them.
    pictures: dict[str, str]

    def blocks(self, blocks: Iterable[Block]) -> Markup:
        """`blocks` as a sequence of `<p>` and `<section>`."""
        return Markup("").join(self._block(block) for block in blocks)

    def inlines(self, inlines: Iterable[Inline]) -> Markup:
        """`inlines` as text with `<strong>`, `<span>`, `<s>`, `<sup>` and `<br>`."""
        return Markup("").join(self._inline(node) for node in inlines)

    def paragraph(self, content: str, style: str = "") -> Markup:
        """A `<p>` that holds `content`, which is escaped unless it is markup already."""
        return Markup('<p style="margin:0 0 12px;color:{};{}">{}</p>').format(
            self.theme.ink, style, content
        )

    def reference(self, number: int) -> Markup:
        """The raised number of a footnote."""
        return Markup('<sup style="color:{};font-size:11px;">[{}]</sup>').format(
            self.theme.accent, number
        )

    def _block(self, block: Block) -> Markup:
        match block:
            case Paragraph(children):
                return self.paragraph(self.inlines(children))
            case Heading(_, children):
                return self.paragraph(self.inlines(children), "font-weight:bold;")
            case Quote(blocks):
                return self._indented(self.blocks(blocks))
            case CodeBlock(text, _):
                return self._code_block(text)
            case ListBlock(items, start):
                return self._list(items, start)
            case Table(rows, has_header):
                return self._table(rows, has_header)
            case Rule():
                return Markup("")
        assert_never(block)

    def _inline(self, node: Inline) -> Markup:
        match node:
            case Text(text):
                return _flowing(text)
            case Code(text):
                return Markup('<span style="font-family:monospace;color:{};">{}</span>').format(
                    self.theme.accent, _flowing(text)
                )
            case LineBreak():
                return Markup("<br>")
            case Image(url, alt) if url.startswith(("http://", "https://")):
                self.pictures.setdefault(url, alt)
                return Markup('<img src="{}" alt="{}" style="max-width:100%;">').format(url, alt)
            case Image(_, alt):
                return _flowing(f"［{alt}］" if alt else "")
            # Chinese has no italics: both kinds of stress are bold.
            case Strong(children) | Emphasis(children):
                return Markup("<strong>{}</strong>").format(self.inlines(children))
            case Strikethrough(children):
                return Markup("<s>{}</s>").format(self.inlines(children))
            case Link(url, children):
                number = self.footnotes.number(url, " ".join(inline_text(children).split()))
                return self.inlines(children) + self.reference(number)
        assert_never(node)

    def _indented(self, content: Markup) -> Markup:
        return Markup(
            '<section style="margin:0 0 12px;padding-left:12px;border-left:2px solid {};">'
            "{}</section>"
        ).format(self.theme.line, content)

    def _code_block(self, text: str) -> Markup:
        lines = (
            Markup("{}").format(line).replace(" ", Markup("&nbsp;")) for line in text.splitlines()
        )
        style = "font-family:monospace;font-size:13px;word-break:break-all;"
        return self.paragraph(Markup("<br>").join(lines), style)

    def _list(self, items: tuple[tuple[Block, ...], ...], start: int | None) -> Markup:
        return Markup("").join(
            self._list_item("•" if start is None else f"{start + offset}.", item)
            for offset, item in enumerate(items)
        )

    def _list_item(self, marker: str, blocks: tuple[Block, ...]) -> Markup:
        match blocks:
            case [Paragraph(children), *rest]:
                first = Markup("{} {}").format(marker, self.inlines(children))
                return self.paragraph(first) + (self._indented(self.blocks(rest)) if rest else "")
            case _:
                return self.paragraph(marker) + self._indented(self.blocks(blocks))

    def _table(self, rows: tuple[tuple[tuple[Inline, ...], ...], ...], has_header: bool) -> Markup:
        return Markup("").join(
            self.paragraph(
                Markup(" · ").join(self.inlines(cell) for cell in row),
                "font-weight:bold;" if has_header and index == 0 else "",
            )
            for index, row in enumerate(rows)
        )


def _flowing(text: str) -> Markup:
    """Escaped text in which a line end is a space, as HTML shows it."""
    return Markup("{}").format(text.replace("\r", "").replace("\n", " "))
