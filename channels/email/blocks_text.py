"""The digest's blocks as plain text that reads well in a mail program, links included."""

from __future__ import annotations

from collections.abc import Iterable

from channels.email.blocks_html import is_safe_url
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


class TextBlocks:
    """Renders blocks with one language's words."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def blocks(self, blocks: Iterable[Block]) -> str:
        """`blocks` with an empty line between them."""
        return "\n\n".join(self._block(block) for block in blocks)

    def inlines(self, inlines: Iterable[Inline]) -> str:
        """The words of `inlines`; a link's address follows its words in angle brackets."""
        return "".join(self._inline(node) for node in inlines)

    def _inline(self, node: Inline) -> str:
        match node:
            case Text(text) | Code(text):
                return text
            case LineBreak():
                return "\n"
            case Image(url, alt):
                words = f"{self._words.image}: {alt}" if alt else self._words.image
                return self._link(url, f"[{words}]")
            case Strong(children) | Emphasis(children) | Strikethrough(children):
                return self.inlines(children)
            case Link(url, children):
                return self._link(url, self.inlines(children))

    def _link(self, url: str, label: str) -> str:
        if not is_safe_url(url) or label == url:
            return label
        return f"{label} <{url}>" if label else url

    def _block(self, block: Block) -> str:
        match block:
            case Paragraph(children):
                return self.inlines(children)
            case Heading(level, children):
                return f"{'#' * level} {self.inlines(children)}"
            case Quote(blocks):
                return _indented(self.blocks(blocks), "> ", "> ")
            case CodeBlock(text, _):
                return _indented(text.rstrip("\n"), "    ", "    ")
            case ListBlock(items, start):
                return "\n".join(self._list_lines(items, start))
            case Table(rows, _):
                return "\n".join(" | ".join(self.inlines(cell) for cell in row) for row in rows)
            case Rule():
                return "* * *"

    def _list_lines(self, items: tuple[tuple[Block, ...], ...], start: int | None) -> Iterable[str]:
        for offset, item in enumerate(items):
            marker = "- " if start is None else f"{start + offset}. "
            yield _indented(self.blocks(item), marker, " " * len(marker))


def _indented(text: str, first: str, others: str) -> str:
    """`text` with `first` before its first line and `others` before each further one."""
    lines = (first + ("\n" + others).join(text.split("\n"))).split("\n")
    return "\n".join(line.rstrip() for line in lines)
