"""The signs by which a line is known: its links, its number, the label before its source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from distributor.digest.blocks import words_of
from distributor.digest.nodes import Node
from distributor.digest.words import is_field_label, is_generic_link

Nodes = Sequence[Node]

#: Numbers, bullets, pictograms and tags in brackets before a title: no words of its own.
_ORNAMENT = re.compile(
    r"(?:[\[【「（(〔《][^\[\]【】（）()]{1,24}[\]】」）)〕》]|[^\w\[\]【】「」（）()]|[\d_]|(?i:no\.)"
    r"|[一二三四五六七八九十]{1,3}[、.）)])*"
)
_LABEL = re.compile(r"([^:：]{1,40}?)\W{0,4}[:：]")
_MAX_ORNAMENT = 40
_NUMBER = (
    r"[(（]?(?:\d{1,3}、\s*|(?:\d{1,3}(?:\ufe0f?\u20e3|[.．)）:：]|\s?[-–—]\s)"
    r"|[一二三四五六七八九十]{1,3}[、．)）]|[①-⑳]|🔟)\s*(?!\d))"
)
_PICTOGRAMS = r"[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\ufe0f\u200d\s]{1,12}"
#: A number that counts stories.
NUMBER = re.compile(rf"\s*{_NUMBER}")
#: What stands before a title: pictograms and a number.
PREFIX = re.compile(rf"^(?:{_PICTOGRAMS})?(?:{_NUMBER})?(?:{_PICTOGRAMS})?")


def title_link(line: Nodes) -> tuple[int, Node] | None:
    """The link that `line` begins with, ornaments aside, and its position."""
    for position, node in enumerate(line):
        if link := link_in(node):
            return (position, link) if is_ornament(line[:position]) else None
    return None


def may_be_title(link: Node) -> bool:
    """Whether a link's words name a story, and not only a link or a person."""
    return not words_of(link).lstrip().startswith("@") and not is_generic(link)


def is_generic(link: Node) -> bool:
    """Whether a link's words say only that it is one."""
    return is_generic_link(words_of(link), address_of(link))


def link_in(node: Node) -> Node | None:
    """The link that `node` is, or that it holds in bold or italics behind ornaments at most."""
    while node.type in {"strong", "em", "s"}:
        children = without_blank(node.children)
        if not children or not is_ornament(children[:-1]):
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
    """Where a link leads."""
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
        return is_generic(links[0])
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
    if not links or not is_generic(links[-1]):
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
    return bool(NUMBER.match(words.lstrip()))


def without_blank(nodes: Nodes) -> Nodes:
    """`nodes` without text that is only space."""
    return [node for node in nodes if node.type != "text" or node.content.strip()]


def is_ornament(nodes: Nodes) -> bool:
    words = "".join(map(words_of, nodes))
    return len(words) <= _MAX_ORNAMENT and bool(_ORNAMENT.fullmatch(words))


def without_ornament(line: Nodes) -> Nodes:
    """`line` without a pictogram or a number in a text of its own before the words."""
    is_first_ornament = bool(line) and line[0].type == "text" and is_ornament(line[:1])
    return line[1:] if is_first_ornament else line
