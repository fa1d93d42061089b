"""From the digest's structure to styled text, as far as Telegram can show it.

Telegram knows bold, italic, strike-through, code, links and one level of quotation. Headings
become bold lines, lists and tables lines of text, pictures links.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from channels.telegram.autolink import guard
from channels.telegram.parser import linkable
from channels.telegram.styled import Fragment, Run, Style, trim
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

_BULLETS = ("•", "◦", "▪")
_INDENT = "\u2003"  # EM SPACE: ordinary spaces at the start of a line are narrow
_QUOTE_BAR = "┃ "
_RULE = "· · ·"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]")


def fragments(blocks: Iterable[Block], *, inside_quote: bool) -> tuple[Fragment, ...]:
    """`blocks` as fragments with words in them.

    `inside_quote`: they will stand in a quotation, which cannot hold another one.
    """
    found = [_finish(f) for block in blocks for f in _block(block, inside_quote)]
    while found and not found[-1].text.strip(f" {_RULE}"):
        found.pop()
    return tuple(fragment for fragment in found if fragment.runs)


def plain(inlines: Iterable[Inline]) -> str:
    """The words of `inlines` on one line, for a headline."""
    return clean(" ".join(inline_text(inlines).split()))


def clean(text: str) -> str:
    """`text` without control characters, which Telegram drops or refuses."""
    return _CONTROL.sub("", text.replace("\t", " "))


def _finish(fragment: Fragment) -> Fragment:
    runs = (replace(run, text=clean(run.text)) for run in fragment.runs)
    return replace(fragment, runs=guard(trim(tuple(run for run in runs if run.text))))


def _block(block: Block, inside_quote: bool) -> Iterator[Fragment]:
    match block:
        case Paragraph(children):
            yield Fragment(tuple(_inlines(children)))
        case Heading(_, children):
            yield Fragment(tuple(_inlines(children, Style.BOLD)), keep_with_next=True)
        case CodeBlock(text, language):
            yield Fragment((Run(text.strip("\n"), Style.PRE, language=language),))
        case ListBlock():
            yield Fragment(tuple(_list(block, depth=0)))
        case Table():
            yield Fragment(tuple(_table(block)))
        case Quote(blocks):
            yield _quote(blocks, inside_quote)
        case Rule():
            yield Fragment((Run(_RULE),), keep_with_next=True)


def _quote(blocks: tuple[Block, ...], inside_quote: bool) -> Fragment:
    runs = tuple(_lines(blocks, "\n\n"))
    if not inside_quote:
        return Fragment(runs, quoted=True)
    marked = (
        run if Style.PRE in run.style else replace(run, text=_bar_lines(run.text)) for run in runs
    )
    return Fragment((Run(_QUOTE_BAR), *marked))


def _bar_lines(text: str) -> str:
    return text.replace("\n", f"\n{_QUOTE_BAR}")


def _lines(blocks: tuple[Block, ...], separator: str) -> Iterator[Run]:
    """The runs of `blocks` with `separator` between them."""
    inner = [fragment for block in blocks for fragment in _block(block, inside_quote=True)]
    for index, fragment in enumerate(inner):
        if index:
            yield Run(separator)
        yield from fragment.runs


def _list(block: ListBlock, depth: int) -> Iterator[Run]:
    for index, item in enumerate(block.items):
        bullet = _BULLETS[min(depth, len(_BULLETS) - 1)]
        marker = bullet if block.start is None else f"{block.start + index}."
        yield Run(("\n" if index else "") + _INDENT * depth + marker + " ")
        for position, child in enumerate(item):
            if position:
                yield Run("\n")
            if isinstance(child, ListBlock):
                yield from _list(child, depth + 1)
            else:
                yield from _lines((child,), "\n")


def _table(table: Table) -> Iterator[Run]:
    for index, row in enumerate(table.rows):
        style = Style.BOLD if table.has_header and index == 0 else Style.PLAIN
        if index:
            yield Run("\n")
        for position, cell in enumerate(row):
            if position:
                yield Run(" | ")
            yield from _inlines(cell, style)


def _inlines(inlines: Iterable[Inline], style: Style = Style.PLAIN, url: str = "") -> Iterator[Run]:
    """The runs of `inlines` within `style` and within a link to `url`, if any."""
    for node in inlines:
        match node:
            case Text(text):
                yield Run(text, style, url)
            case Code(text):
                # A link cannot hold code.
                yield Run(text, style, url) if url else Run(text, Style.CODE)
            case LineBreak():
                yield Run("\n", style)
            case Strong(children):
                yield from _inlines(children, style | Style.BOLD, url)
            case Emphasis(children):
                yield from _inlines(children, style | _emphasis(children), url)
            case Strikethrough(children):
                yield from _inlines(children, style | Style.STRIKE, url)
            case Image(address, alt):
                yield from _link(address, (Text(alt or address),), style, url)
            case Link(address, children):
                yield from _link(address, children, style, url)


def _link(url: str, label: tuple[Inline, ...], style: Style, outer: str) -> Iterator[Run]:
    """A link, or where Telegram would lose it the label and the address in words."""
    words = inline_text(label)
    if outer or linkable(url):
        yield from _inlines(label if words.strip() else (Text(url),), style, outer or url)
        return
    address = url.removeprefix("mailto:")
    yield from _inlines(label, style)
    if words.strip() != address:
        yield Run(f" ({address})", style)


def _emphasis(children: tuple[Inline, ...]) -> Style:
    """Italics, except for Chinese, Japanese and Korean, which have none."""
    return Style.BOLD if _CJK.search(inline_text(children)) else Style.ITALIC
