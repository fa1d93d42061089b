"""Which story one line tells: where its title is, where it leads, and who wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from distributor.digest.blocks import Converter, inline_nodes, trimmed, unwrapped, words_of
from distributor.digest.lines import (
    PREFIX,
    Nodes,
    address_of,
    is_generic,
    is_ornament,
    link_in,
    may_be_title,
    title_link,
    web_links,
)
from distributor.digest.model import (
    Block,
    Emphasis,
    Inline,
    Link,
    Paragraph,
    Strikethrough,
    Strong,
    Text,
)
from distributor.digest.nodes import Node
from distributor.digest.plain import inline_text

_AUTHOR = re.compile(r"\s*(?:[-–—―|｜·•~]+|(?:作者|来源|by|via)\s*[:：]?\s)\s*(.{1,80})")
_BRACKETED_AUTHOR = re.compile(r"\s*[（(\[【](?:作者|来源)?[:：]?\s*([^（(）)]{1,60})[）)\]】]\s*")
_SENTENCE_END = re.compile(r"[。！？]|[.!?](?=\s)")
_FULL_STOP = re.compile(r"[。！？]")
_LEADING_MARK = re.compile(r"[\s\-–—―|｜:：,，.。、]+")
_REFERENCE = re.compile(r"\s*\[([^\[\]]{3,80})\]\[[^\[\]]{0,60}\]")
#: A longer line is a title and its body; it is parted after the first sentence.
_LONGEST_TITLE = 120


@dataclass(frozen=True, slots=True)
class Story:
    """What a form found: an item that has no number yet."""

    title: tuple[Inline, ...]
    #: Where it leads, as the post writes it.
    address: str | None
    body: tuple[Block, ...]
    author: str | None = None
    #: What it is listed under, when that is no heading.
    group: str | None = None


def linked_line(line: Nodes, below: tuple[Block, ...], convert: Converter) -> Story | None:
    """The story of a line that is a link, after ornaments and before an author or a body."""
    found = title_link(line)
    if found is None or not may_be_title(found[1]):
        return None
    start, link = found
    address = address_of(link)
    title = trimmed(unwrapped(convert.inlines(link.children)))
    if not inline_text(title).strip():
        return None
    tail = line[start + 1 :]
    author = _author("".join(map(words_of, tail)))
    if author and below:
        return Story(title, address, below, author)
    return Story(title, address, without_leading_mark(paragraph(tail, convert)) + below)


def sourced_line(line: Nodes, below: tuple[Block, ...], convert: Converter) -> Story | None:
    """The story of a line with its link at the end or inside: `words [来源](url)`."""
    links = list(web_links(line))
    if not links:
        return None
    kept = [node for node in line if not _is_generic(node)]
    title, body = _parted(trimmed(convert.inlines(kept)))
    if not re.search(r"\w", inline_text(title)):
        return None
    # Who recommends a story may be named before it.
    source = next((link for link in links if may_be_title(link)), links[0])
    others = [link for link in links if link is not source]
    return Story(
        bare_title(unwrapped(without_links(title))),
        address_of(source),
        without_leading_mark(_as_paragraph(body)) + _further_links(others, convert) + below,
    )


def plain_line(line: Nodes, below: tuple[Block, ...], convert: Converter) -> Story | None:
    """The story of a line without any link."""
    title, body = _parted(unwrapped(convert.inlines(line)))
    title = bare_title(unwrapped(title))
    if not re.search(r"[^\W\d_]", PREFIX.sub("", inline_text(title), count=1)):
        return None
    return Story(without_links(title), None, without_leading_mark(_as_paragraph(body)) + below)


def referred_line(line: Nodes, below: tuple[Block, ...], convert: Converter) -> Story | None:
    """The story of `[title][reference]` where the reference is defined in another file."""
    match = _REFERENCE.match(line[0].content) if line[0].type == "text" else None
    if match is None:
        return None
    body = trimmed((Text(line[0].content[match.end() :]), *convert.inlines(line[1:])))
    return Story((Text(match[1]),), None, without_leading_mark(_as_paragraph(body)) + below)


def bare_title(title: tuple[Inline, ...]) -> tuple[Inline, ...]:
    """A title's words without the number or the pictogram before them, and the colon after."""
    match title:
        case (Strong(children), *rest):
            title = (Strong(_without_prefix(children)), *rest)
        case _:
            title = _without_prefix(title)
    match title:
        case (*rest, Text(text)) if words := text.rstrip(" :："):
            return (*rest, Text(words))
        case (Strong((*inner, Text(text))),) if words := text.rstrip(" :："):
            return (Strong((*inner, Text(words))),)
        case _:
            return title


def _without_prefix(title: tuple[Inline, ...]) -> tuple[Inline, ...]:
    match title:
        case (Text(text), *rest) if words := PREFIX.sub("", text, count=1):
            return (Text(words), *rest)
        case (Text(), first, *rest):
            return _without_prefix((first, *rest))
        case _:
            return title


def without_links(inlines: Iterable[Inline]) -> tuple[Inline, ...]:
    """`inlines` with links replaced by their words: a title is a link by itself."""
    result: list[Inline] = []
    for inline in inlines:
        match inline:
            case Link(_, children):
                result.extend(without_links(children))
            case Strong(children) | Emphasis(children) | Strikethrough(children):
                result.append(type(inline)(without_links(children)))
            case _:
                result.append(inline)
    return tuple(result)


def paragraph(nodes: Nodes, convert: Converter) -> tuple[Block, ...]:
    return _as_paragraph(convert.inlines(nodes))


def cell_paragraph(cell: Node, convert: Converter) -> tuple[Block, ...]:
    """A cell's words, unless they only count the rows."""
    nodes = inline_nodes(cell)
    return () if is_ornament(nodes) else paragraph(nodes, convert)


def without_leading_mark(body: tuple[Block, ...]) -> tuple[Block, ...]:
    """`body` without the colon or dash that joined it to the title."""
    match body:
        case (Paragraph((Text(text), *more)), *rest):
            words = _LEADING_MARK.sub("", text, count=1) if _LEADING_MARK.match(text) else text
            children = (Text(words), *more) if words else tuple(more)
            return (Paragraph(children), *rest) if children else tuple(rest)
        case _:
            return body


def _author(tail: str) -> str | None:
    """Who is named after the link, by a dash, a label or in brackets."""
    match = _AUTHOR.fullmatch(tail) or _BRACKETED_AUTHOR.fullmatch(tail)
    return match[1].strip() or None if match and not _FULL_STOP.search(tail) else None


def _is_generic(node: Node) -> bool:
    link = link_in(node)
    return link is not None and is_generic(link)


def _parted(line: tuple[Inline, ...]) -> tuple[tuple[Inline, ...], tuple[Inline, ...]]:
    """Title and body of a line: its bold beginning, or the first sentence of a long one."""
    match line:
        case (Strong() as title, *rest) if re.search(r"\w", inline_text(rest)):
            return (title,), tuple(rest)
    if len(inline_text(line)) <= _LONGEST_TITLE:
        return line, ()
    for position, inline in enumerate(line):
        end = _SENTENCE_END.search(inline.text) if isinstance(inline, Text) else None
        if end and isinstance(inline, Text):
            first, after = inline.text[: end.end()], inline.text[end.end() :]
            return (*line[:position], Text(first)), trimmed((Text(after), *line[position + 1 :]))
    return line, ()


def _as_paragraph(children: tuple[Inline, ...]) -> tuple[Block, ...]:
    return (Paragraph(children),) if children else ()


def _further_links(links: Nodes, convert: Converter) -> tuple[Block, ...]:
    """The links of a title that leads to the first of them already."""
    children: list[Inline] = []
    for link in links:
        if children:
            children.append(Text(" · "))
        children.extend(convert.inlines([link]))
    return _as_paragraph(tuple(children))
