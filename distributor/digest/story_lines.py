"""Which story one line tells: where its title is, where it leads, and who wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from distributor.digest.blocks import Converter, inline_nodes, trimmed, unwrapped, words_of
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
from distributor.digest.words import is_field_label, is_generic_link

Nodes = Sequence[Node]

#: Numbers, bullets, pictograms and tags in brackets before a title: no words of its own.
_ORNAMENT = re.compile(
    r"(?:[\[【「（(〔《][^\[\]【】（）()]{1,24}[\]】」）)〕》]|[^\w\[\]【】「」（）()]|[\d_]|(?i:no\.)"
    r"|[一二三四五六七八九十]{1,3}[、.）)])*"
)
_NUMBER = re.compile(
    r"\s*[(（]?(?:\d{1,3}(?:\ufe0f?\u20e3|[.、．)）:：]|\s?[-–—]\s)|[一二三四五六七八九十]{1,3}[、．)）]|[①-⑳]|[🔟])"
    r"\s*(?!\d)"
)
_PICTOGRAM = re.compile(r"[^\w\s\"'“‘「『《（(\[【<#@$¥€£&+\-~.…]+\ufe0f?\s*")
_AUTHOR = re.compile(r"\s*(?:[-–—―|｜·•~]+|(?:作者|来源|by|via)\s*[:：]?\s)\s*(.{1,80})")
_BRACKETED_AUTHOR = re.compile(r"\s*[（(\[【](?:作者|来源)?[:：]?\s*([^（(）)]{1,60})[）)\]】]\s*")
_SENTENCE_END = re.compile(r"[。！？]|[.!?](?=\s)")
_FULL_STOP = re.compile(r"[。！？]")
_LEADING_MARK = re.compile(r"[\s\-–—―|｜:：,，.。、]+")
_REFERENCE = re.compile(r"\s*\[([^\[\]]{3,80})\]\[[^\[\]]{0,60}\]")
_LABEL = re.compile(r"([^:：]{1,40}?)\W{0,4}[:：]")
_MAX_ORNAMENT = 40
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
    if found is None or is_generic_link(words_of(found[1])):
        return None
    start, link = found
    address = address_of(link)
    title = unwrapped(convert.inlines(link.children))
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
    others = links[1:] if len(links) > 1 else []
    return Story(
        unwrapped(without_links(title)),
        address_of(links[0]),
        without_leading_mark(_as_paragraph(body)) + _further_links(others, convert) + below,
    )


def plain_line(line: Nodes, below: tuple[Block, ...], convert: Converter) -> Story | None:
    """The story of a line without any link."""
    title, body = _parted(unwrapped(convert.inlines(line)))
    title = unwrapped(without_number(title))
    if not re.search(r"[^\W\d_]", _NUMBER.sub("", inline_text(title), count=1)):
        return None
    return Story(without_links(title), None, without_leading_mark(_as_paragraph(body)) + below)


def referred_line(line: Nodes, below: tuple[Block, ...], convert: Converter) -> Story | None:
    """The story of `[title][reference]` where the reference is defined in another file."""
    match = _REFERENCE.match(line[0].content) if line[0].type == "text" else None
    if match is None:
        return None
    body = trimmed((Text(line[0].content[match.end() :]), *convert.inlines(line[1:])))
    return Story((Text(match[1]),), None, without_leading_mark(_as_paragraph(body)) + below)


def title_link(line: Nodes) -> tuple[int, Node] | None:
    """The link that `line` begins with, ornaments aside, and its position."""
    for position, node in enumerate(line):
        if link := link_in(node):
            return (position, link) if _is_ornament(line[:position]) else None
    return None


def link_in(node: Node) -> Node | None:
    """The link that `node` is, or that it holds in bold or italics behind ornaments at most."""
    while node.type in {"strong", "em", "s"}:
        children = without_blank(node.children)
        if not children or not _is_ornament(children[:-1]):
            return None
        node = children[-1]
    return node if is_web_link(node) else None


def is_web_link(node: Node) -> bool:
    """Whether `node` is a link with words that leads to another page."""
    if node.type != "link":
        return False
    address = address_of(node)
    if address.startswith("mailto:") or (address.startswith("#") and len(address) > 1):
        return False
    is_picture = all(child.type == "image" for child in without_blank(node.children))
    return not is_picture and bool(re.search(r"\w", words_of(node)))


def address_of(link: Node) -> str:
    return str(link.attrs["href"])


def web_links(nodes: Iterable[Node]) -> Iterator[Node]:
    """The links in `nodes`, also in bold and italics."""
    for node in nodes:
        if is_web_link(node):
            yield node
        elif node.type in {"strong", "em", "s"}:
            yield from web_links(node.children)


def lines_of(nodes: Nodes) -> list[Nodes]:
    """Inline nodes cut at the line ends of the source; no empty lines."""
    lines: list[list[Node]] = [[]]
    for node in nodes:
        if node.type in {"softbreak", "hardbreak"}:
            lines.append([])
        else:
            lines[-1].append(node)
    return [line for line in lines if without_blank(line)]


def is_source_line(line: Nodes) -> bool:
    """Whether a line says where a story is from: `来源：[…](url)`, `[Read more](url)`, a URL."""
    links = list(web_links(line))
    if len(links) != 1:
        return False
    beside = "".join(words_of(node) for node in line if not link_in(node)).strip()
    label = beside.strip(" :：|-–—>→👉🔗")
    if not re.search(r"\w", label):
        return is_generic_link(words_of(links[0]))
    first = _LABEL.match(beside)
    names_source = (
        first is not None
        and bool(re.search(r"[^\W\d_]", first[1]))
        and is_generic_link(first[1].strip())
    )
    return names_source or is_field_label(label) or is_generic_link(label)


def ends_with_source(line: Nodes) -> bool:
    """Whether a line ends with a link to read on: `… [Read more](url)`, `([原文](url))`."""
    links = list(web_links(line))
    if not links or not is_generic_link(words_of(links[-1])):
        return False
    words = "".join(map(words_of, line)).rstrip(" )）]】.。→")
    return words.endswith(words_of(links[-1]).rstrip(" )）]】.。→"))


def begins_with_field(line: Nodes) -> bool:
    """Whether a line gives a field of a story: `发布时间：…`, `**Source:** …`."""
    words = "".join(map(words_of, line))[: _MAX_ORNAMENT * 2].lstrip()
    label = _LABEL.match(words)
    return label is not None and is_field_label(label[1])


def number_before(nodes: Nodes) -> bool:
    """Whether the words begin with a number that counts stories: `1、`, `**2.`, `3️⃣`."""
    words = "".join(map(words_of, nodes))[:_MAX_ORNAMENT]
    return bool(_NUMBER.match(words.lstrip()))


def without_number(title: tuple[Inline, ...]) -> tuple[Inline, ...]:
    """A title's words without the number before them: items are numbered by position."""
    match title:
        case (Text(text), *rest) if words := _NUMBER.sub("", text, count=1):
            return (Text(words), *rest)
        case (Strong((Text(text), *inner)), *rest) if words := _NUMBER.sub("", text, count=1):
            return (Strong((Text(words), *inner)), *rest)
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


def without_blank(nodes: Nodes) -> Nodes:
    return [node for node in nodes if node.type != "text" or node.content.strip()]


def paragraph(nodes: Nodes, convert: Converter) -> tuple[Block, ...]:
    return _as_paragraph(convert.inlines(nodes))


def cell_paragraph(cell: Node, convert: Converter) -> tuple[Block, ...]:
    """A cell's words, unless they only count the rows."""
    nodes = inline_nodes(cell)
    return () if _is_ornament(nodes) else paragraph(nodes, convert)


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


def _is_ornament(nodes: Nodes) -> bool:
    words = "".join(map(words_of, nodes))
    return len(words) <= _MAX_ORNAMENT and bool(_ORNAMENT.fullmatch(words))


def _is_generic(node: Node) -> bool:
    link = link_in(node)
    return link is not None and is_generic_link(words_of(link))


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
