"""The forms that a story takes in a digest: each is one small function here.

A form looks at one list entry, heading or table row and says which story it is, or None. To read
digests of a new form, write a function and add it to the tuple at the end of this module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from markdown_it.tree import SyntaxTreeNode

from distributor.digest.blocks import Converter, inline_nodes, unwrapped, words_of
from distributor.digest.model import Block, Inline, Paragraph, Text

Nodes = Sequence[SyntaxTreeNode]

#: Numbers, bullets and pictograms before a title: anything but letters of a script.
_ORNAMENT = re.compile(r"(?:[\W\d_]|(?i:no\.)|[一二三四五六七八九十]+[、.）)])*")
_NUMBER = re.compile(r"\s*(?:\d{1,3}|[一二三四五六七八九十]{1,3})[.、．)）]\s*(?!\d)")
_AUTHOR = re.compile(r"\s*(?:[-–—―|｜·•~]+|(?:作者|来源|by|via)\s*[:：]?\s)\s*(.{1,80})")
_BRACKETED_AUTHOR = re.compile(r"\s*[（(\[【](?:作者|来源)?[:：]?\s*([^（(）)]{1,60})[）)\]】]\s*")
_SENTENCE_END = re.compile(r"[。！？]")
_LEADING_MARK = re.compile(r"[\s\-–—―|｜:：,，.。、]+")
_SOURCE_LABEL = re.compile(
    r"(?:来源|原文|链接|出处|阅读|查看|详情|更多|全文"
    r"|source|link|read|more|original|full|story|article|the|via|\W)*",
    re.IGNORECASE,
)
#: Ornaments and labels are short; longer text is never matched against their patterns.
_MAX_ORNAMENT = 40


@dataclass(frozen=True, slots=True)
class Story:
    """What a form found: an item that has no number and no section yet."""

    title: tuple[Inline, ...]
    url: str | None
    body: tuple[Block, ...]
    author: str | None = None


ListForm = Callable[[SyntaxTreeNode, Converter], Story | None]
HeadingForm = Callable[[SyntaxTreeNode, Nodes, Converter], Story | None]
RowForm = Callable[[Nodes, Converter], Story | None]


def linked_first_line(entry: SyntaxTreeNode, convert: Converter) -> Story | None:
    """`[title](url)` on the first line, alone or with an author; the body stands below."""
    if not _starts_with_paragraph(entry):
        return None
    line, rest = _first_line(inline_nodes(entry.children[0]))
    below = _paragraph(rest, convert) + convert.blocks(entry.children[1:])
    return _linked_line(line, below, convert)


def bold_title_with_source(entry: SyntaxTreeNode, convert: Converter) -> Story | None:
    """`**title**：body … [source](url)`: the title in bold first, the link anywhere after it."""
    if not _starts_with_paragraph(entry):
        return None
    nodes = _without_blank(inline_nodes(entry.children[0]))
    link = _first_link(entry)
    if not nodes or nodes[0].type != "strong" or link is None:
        return None
    title = convert.inlines(nodes[0].children)
    body = _paragraph(nodes[1:], convert) + convert.blocks(entry.children[1:])
    if not title or not body:
        return None
    return Story(title, convert.address(str(link.attrs["href"])), _without_leading_mark(body))


def plain_entry(entry: SyntaxTreeNode, convert: Converter) -> Story | None:
    """An entry without a link, in a list whose other entries are stories."""
    if not _starts_with_paragraph(entry):
        return None
    line, rest = _first_line(inline_nodes(entry.children[0]))
    title = unwrapped(convert.inlines(line))
    if not title:
        return None
    return Story(title, None, _paragraph(rest, convert) + convert.blocks(entry.children[1:]))


def linked_heading(heading: SyntaxTreeNode, below: Nodes, convert: Converter) -> Story | None:
    """`### 1. [title](url)`, with or without the number; the body is what stands below."""
    line = inline_nodes(heading)
    return _linked_line(line, convert.blocks(below), convert) if _title_link(line) else None


def sourced_heading(heading: SyntaxTreeNode, below: Nodes, convert: Converter) -> Story | None:
    """`### title`, a body, and a line that is only a link: `[阅读原文](url)`, `来源：[…](url)`."""
    source = next((node for node in below if _is_source_line(node)), None)
    link = _first_link(source) if source else None
    if link is None:
        return None
    title = unwrapped(_without_number(unwrapped(convert.inlines(inline_nodes(heading)))))
    body = convert.blocks(node for node in below if node is not source)
    if not title or not body:
        return None
    return Story(title, convert.address(str(link.attrs["href"])), body)


def linked_row(cells: Nodes, convert: Converter) -> Story | None:
    """`| [title](url) | words |`: the first cell with a link is the title, the others the body."""
    for position, cell in enumerate(cells):
        if story := _linked_line(inline_nodes(cell), (), convert):
            others = (*cells[:position], *cells[position + 1 :])
            body = tuple(b for other in others for b in _cell_paragraph(other, convert))
            return replace(story, body=story.body + body)
    return None


LIST_FORMS: tuple[ListForm, ...] = (linked_first_line, bold_title_with_source)
HEADING_FORMS: tuple[HeadingForm, ...] = (linked_heading, sourced_heading)
ROW_FORMS: tuple[RowForm, ...] = (linked_row,)


def _linked_line(line: Nodes, below: tuple[Block, ...], convert: Converter) -> Story | None:
    """The story of a line that is a link, after ornaments and before an author or a body."""
    found = _title_link(line)
    if found is None:
        return None
    start, link = found
    url = convert.address(str(link.attrs["href"]))
    title = unwrapped(convert.inlines(link.children)) or ((Text(url),) if url else ())
    if not title:
        return None
    tail = line[start + 1 :]
    author = _author("".join(map(words_of, tail)))
    if author and below:
        return Story(title, url, below, author)
    return Story(title, url, _without_leading_mark(_paragraph(tail, convert)) + below)


def _title_link(line: Nodes) -> tuple[int, SyntaxTreeNode] | None:
    """The link that `line` begins with, ornaments aside, and its position."""
    for position, node in enumerate(line):
        if link := _link_in(node):
            return (position, link) if _is_ornament(line[:position]) else None
    return None


def _link_in(node: SyntaxTreeNode) -> SyntaxTreeNode | None:
    """The link that `node` is, or that it holds in bold or italics and nothing beside it."""
    while node.type in {"strong", "em"}:
        children = _without_blank(node.children)
        if len(children) != 1:
            return None
        node = children[0]
    is_web = node.type == "link" and not str(node.attrs["href"]).startswith("mailto:")
    return node if is_web else None


def _author(tail: str) -> str | None:
    """Who is named after the link, by a dash, a label or in brackets."""
    match = _AUTHOR.fullmatch(tail) or _BRACKETED_AUTHOR.fullmatch(tail)
    return match[1].strip() or None if match and not _SENTENCE_END.search(tail) else None


def _first_line(nodes: Nodes) -> tuple[Nodes, Nodes]:
    """The inline nodes of the first line, and those of the lines below it."""
    for index, node in enumerate(nodes):
        if node.type in {"softbreak", "hardbreak"} and index:
            return nodes[:index], nodes[index + 1 :]
    return nodes, ()


def _first_link(node: SyntaxTreeNode) -> SyntaxTreeNode | None:
    return next((n for n in node.walk() if n.type == "link"), None)


def _is_source_line(node: SyntaxTreeNode) -> bool:
    """Whether a paragraph is one link and at most a label, such as “来源：” or “Read more”."""
    if node.type != "paragraph":
        return False
    children = inline_nodes(node)
    links = sum(_link_in(child) is not None for child in children)
    beside = "".join(words_of(child) for child in children if not _link_in(child))
    return links == 1 and len(beside) <= _MAX_ORNAMENT and bool(_SOURCE_LABEL.fullmatch(beside))


def _is_ornament(nodes: Nodes) -> bool:
    words = "".join(map(words_of, nodes))
    return len(words) <= _MAX_ORNAMENT and bool(_ORNAMENT.fullmatch(words))


def _starts_with_paragraph(entry: SyntaxTreeNode) -> bool:
    return bool(entry.children) and entry.children[0].type == "paragraph"


def _without_blank(nodes: Nodes) -> Nodes:
    return [node for node in nodes if node.type != "text" or node.content.strip()]


def _without_number(title: tuple[Inline, ...]) -> tuple[Inline, ...]:
    """A heading's words without the number before them: items are numbered by position."""
    match title:
        case (Text(text), *rest) if words := _NUMBER.sub("", text, count=1):
            return (Text(words), *rest)
        case _:
            return title


def _paragraph(nodes: Nodes, convert: Converter) -> tuple[Block, ...]:
    children = convert.inlines(nodes)
    return (Paragraph(children),) if children else ()


def _cell_paragraph(cell: SyntaxTreeNode, convert: Converter) -> tuple[Block, ...]:
    """A cell's words, unless they only count the rows."""
    nodes = inline_nodes(cell)
    return () if _is_ornament(nodes) else _paragraph(nodes, convert)


def _without_leading_mark(body: tuple[Block, ...]) -> tuple[Block, ...]:
    """`body` without the colon or dash that joined it to the title."""
    match body:
        case (Paragraph((Text(text), *more)), *rest):
            words = _LEADING_MARK.sub("", text, count=1) if _LEADING_MARK.match(text) else text
            children = (Text(words), *more) if words else tuple(more)
            return (Paragraph(children), *rest) if children else tuple(rest)
        case _:
            return body
