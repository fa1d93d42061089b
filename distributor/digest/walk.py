"""Walks over everything that a digest says, whatever part or block it stands in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from distributor.digest.model import (
    Block,
    Digest,
    Emphasis,
    Heading,
    Inline,
    Link,
    ListBlock,
    Paragraph,
    Quote,
    Strikethrough,
    Strong,
    Table,
)


def all_inlines(digest: Digest) -> Iterator[Inline]:
    """Every inline of the titles, then of intro, bodies and commentary; nested ones too."""
    for item in digest.items:
        yield from _nested(item.title)
    for block in _all_blocks(digest):
        yield from _inlines_of(block)


def _all_blocks(digest: Digest) -> Iterator[Block]:
    yield from digest.intro
    for item in digest.items:
        yield from item.body
    yield from digest.commentary


def _inlines_of(block: Block) -> Iterator[Inline]:
    match block:
        case Paragraph(children) | Heading(_, children):
            yield from _nested(children)
        case Quote(blocks):
            for inner in blocks:
                yield from _inlines_of(inner)
        case ListBlock(items, _):
            for entry in items:
                for inner in entry:
                    yield from _inlines_of(inner)
        case Table(rows, _):
            for row in rows:
                for cell in row:
                    yield from _nested(cell)


def _nested(inlines: Iterable[Inline]) -> Iterator[Inline]:
    for inline in inlines:
        yield inline
        if isinstance(inline, Strong | Emphasis | Strikethrough | Link):
            yield from _nested(inline.children)
