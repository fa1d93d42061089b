"""The digest's blocks as HTML for mail programs: plain elements, styled by the template."""

from __future__ import annotations

import re
from collections.abc import Iterable

from markupsafe import Markup, escape

from channels.email.table_html import TableHtml
from channels.email.wording import Words
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

#: The edition's title is the message's h1, so headings in prose begin below it.
_TOP_HEADING = 2

#: Hangul, kana, Chinese characters and their punctuation.
_WIDE = re.compile("[\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")

_SAFE_SCHEMES = ("https://", "http://", "mailto:")


def is_safe_url(url: str) -> bool:
    """Whether a link may carry `url`: web and mail addresses only."""
    return url.lower().startswith(_SAFE_SCHEMES)


class HtmlBlocks:
    """Renders blocks with one language's words; every text is escaped."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._tables = TableHtml(words, self.inlines)

    def blocks(self, blocks: Iterable[Block]) -> Markup:
        """`blocks` one after another."""
        return Markup("\n").join(self._block(block) for block in blocks)

    def inlines(self, inlines: Iterable[Inline], *, links: bool = True) -> Markup:
        """`inlines` in a row; with `links` off only their words, for use inside a link."""
        return Markup("").join(self._inline(node, links) for node in inlines)

    def _inline(self, node: Inline, links: bool) -> Markup:
        match node:
            case Text(text):
                return escape(text)
            case Code(text):
                return Markup('<code class="code">{}</code>').format(text)
            case LineBreak():
                return Markup("<br>")
            case Image(url, alt):
                words = f"{self._words.image}: {alt}" if alt else self._words.image
                return self._link(url, Markup("[{}]").format(words), links)
            case Strong(children):
                return Markup("<strong>{}</strong>").format(self.inlines(children, links=links))
            case Emphasis(children):
                return Markup("<em>{}</em>").format(self.inlines(children, links=links))
            case Strikethrough(children):
                return Markup("<s>{}</s>").format(self.inlines(children, links=links))
            case Link(url, children):
                return self._link(url, self.inlines(children, links=False), links)

    def _link(self, url: str, label: Markup, links: bool) -> Markup:
        if not links or not is_safe_url(url):
            return label
        return Markup('<a class="link" href="{}">{}</a>').format(url, label or url)

    def _block(self, block: Block) -> Markup:
        match block:
            case Paragraph(children):
                return self._paragraph(children)
            case Heading(level, children):
                tag = f"h{min(max(level, _TOP_HEADING), 4)}"
                return Markup("<{0}>{1}</{0}>").format(tag, self.inlines(children))
            case Quote(blocks):
                return Markup("<blockquote>{}</blockquote>").format(self.blocks(blocks))
            case CodeBlock(text, _):
                return Markup('<pre class="code" dir="ltr">{}</pre>').format(text.rstrip("\n"))
            case ListBlock(items, start):
                return self._list(items, start)
            case Table():
                return self._tables.render(block)
            case Rule():
                return Markup('<div class="rule">&nbsp;</div>')

    def _paragraph(self, children: tuple[Inline, ...]) -> Markup:
        # A paragraph of a Chinese edition that is in English is set in a font for English.
        content = self.inlines(children)
        if _WIDE.search(inline_text(children)):
            return Markup("<p>{}</p>").format(content)
        return Markup('<p class="latin">{}</p>').format(content)

    def _list(self, items: tuple[tuple[Block, ...], ...], start: int | None) -> Markup:
        tag = "ul" if start is None else "ol"
        first = Markup("") if start in (None, 1) else Markup(' start="{}"').format(start)
        entries = Markup("").join(Markup("<li>{}</li>").format(self._entry(i)) for i in items)
        return Markup("<{0}{1}>{2}</{0}>").format(tag, first, entries)

    def _entry(self, blocks: tuple[Block, ...]) -> Markup:
        """A list entry; one that is a single paragraph gets no paragraph spacing."""
        match blocks:
            case (Paragraph(children),):
                return self.inlines(children)
        return self.blocks(blocks)
