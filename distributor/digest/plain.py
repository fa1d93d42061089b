"""Plain text from structure: the words of blocks and inlines with no markup."""

from __future__ import annotations

from collections.abc import Iterable

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


def inline_text(inlines: Iterable[Inline]) -> str:
    """The words of `inlines`; a hard break becomes a newline, an image its alt text."""
    return "".join(_inline(node) for node in inlines)


def block_text(blocks: Iterable[Block]) -> str:
    """The words of `blocks`, one empty line between them; rules are left out."""
    return "\n\n".join(text for block in blocks if (text := _block(block)))


def _inline(node: Inline) -> str:
    match node:
        case Text(text) | Code(text):
            return text
        case LineBreak():
            return "\n"
        case Image(_, alt):
            return alt
        case Strong(children) | Emphasis(children) | Strikethrough(children):
            return inline_text(children)
        case Link(_, children):
            return inline_text(children)


def _block(block: Block) -> str:
    match block:
        case Paragraph(children):
            return inline_text(children)
        case Heading(_, children):
            return inline_text(children)
        case Quote(blocks):
            return block_text(blocks)
        case CodeBlock(text, _):
            return text.rstrip("\n")
        case ListBlock(items, start):
            return "\n".join(_list_lines(items, start))
        case Table(rows, _):
            return "\n".join(" | ".join(inline_text(cell) for cell in row) for row in rows)
        case Rule():
            return ""


def _list_lines(items: tuple[tuple[Block, ...], ...], start: int | None) -> Iterable[str]:
    for offset, item in enumerate(items):
        marker = "•" if start is None else f"{start + offset}."
        yield f"{marker} {block_text(item)}"
