"""The forms of a story that has a title of its own line: a heading, or a bold line, with a body.

What is asked is the title and the blocks below it, up to the next title or rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from distributor.digest.blocks import Converter, inline_nodes, unwrapped
from distributor.digest.item_forms import is_described_address
from distributor.digest.lines import (
    Nodes,
    address_of,
    begins_with_field,
    ends_with_source,
    is_generic,
    is_source_line,
    is_web_link,
    lines_of,
    number_before,
    title_link,
    web_links,
    without_blank,
)
from distributor.digest.nodes import Node
from distributor.digest.paragraph_forms import is_closed
from distributor.digest.plain import inline_text
from distributor.digest.story_lines import (
    Story,
    bare_title,
    linked_line,
    sourced_line,
    without_links,
)
from distributor.digest.titles import is_field_title
from distributor.digest.words import is_field_label

_LISTS = {"bullet_list", "ordered_list"}


def title_with_link(title: Node, below: Nodes, convert: Converter) -> Story | None:
    """`### 1. [title](url)`, `## title ([source](url))`; the body is what stands below."""
    line = _title_nodes(title)
    if next(web_links(line), None) is None:
        return None
    body = convert.blocks(below)
    story = linked_line(line, body, convert)
    # A bold line with a link somewhere in it is a remark.
    return story or (sourced_line(line, body, convert) if title.type == "heading" else None)


def title_with_source(title: Node, below: Nodes, convert: Converter) -> Story | None:
    """`### title`, a body, and a line or an entry that is only a link: `来源：[…](url)`, a URL."""
    if _holds_stories(below):
        return None
    sources = [(node, line) for node in below for line in _lines_in(node) if is_source_line(line)]
    if not sources and (link := _labelled_link(below)):
        story = _title_words(title, convert)
        return story and replace(story, address=address_of(link), body=convert.blocks(below))
    if not sources or _is_list_of_links(sources):
        return None
    node, line = sources[0]
    words = _title_words(title, convert)
    if words is None:
        return None
    address = address_of(next(web_links(line)))
    # A paragraph that says nothing else than where the story is from has said it.
    is_whole = node.type == "paragraph" and len(_lines_in(node)) == 1
    body = convert.blocks(n for n in below if not is_whole or n is not node)
    return replace(words, address=address, body=body)


def title_with_last_link(title: Node, below: Nodes, convert: Converter) -> Story | None:
    """`### title` and a body that ends with a link to read on."""
    if _holds_stories(below):
        return None
    lines = [line for node in below for line in _lines_in(node)]
    line = next((line for line in lines if ends_with_source(line)), None)
    words = _title_words(title, convert)
    if line is None or words is None:
        return None
    address = address_of(list(web_links(line))[-1])
    return replace(words, address=address, body=convert.blocks(below))


def begins_with_source(below: Nodes) -> bool:
    """Whether the first block below a title only says where the story is from."""
    lines = _lines_in(below[0]) if below and below[0].type == "paragraph" else []
    return len(lines) == 1 and is_source_line(lines[0])


def numbered_title(title: Node, below: Nodes, convert: Converter) -> Story | None:
    """`### 1. title` and its body; it leads where the first link of the body leads."""
    words = _title_words(title, convert)
    if words is None:
        return None
    link = next((n for node in below for n in node.walk() if is_web_link(n)), None)
    return replace(words, address=address_of(link) if link else None, body=convert.blocks(below))


def _holds_stories(below: Nodes) -> bool:
    """Whether the body of a title tells stories of its own, in paragraphs or a list."""
    paragraphs = [node for node in below if node.type == "paragraph"]
    entries = (entry for node in below if node.type in _LISTS for entry in node.children)
    return (
        any(map(is_described_address, entries))
        or sum(map(is_closed, paragraphs)) > 1
        or any(number_before(inline_nodes(n)) or _is_titled_source(n) for n in paragraphs)
    )


def _is_list_of_links(sources: Sequence[tuple[Node, Nodes]]) -> bool:
    """Whether source lines without any label are so many that each may be a story."""
    bare = [line for _, line in sources if title_link(line) and not begins_with_field(line)]
    return sum(not is_generic(next(web_links(line))) for line in bare) > 1


def _labelled_link(below: Nodes) -> Node | None:
    """The first link of the lists that bold labels head: `**Sources:**`."""
    lists = (n for label, n in pairwise(below) if is_field_title(label) and n.type in _LISTS)
    return next((node for found in lists for node in found.walk() if is_web_link(node)), None)


def _is_titled_source(node: Node) -> bool:
    """Whether a paragraph is a story of its own: a bold line, and an address on the next."""
    match _lines_in(node):
        case [title, source, *_] if not begins_with_field(title):
            first = without_blank(title)
            return len(first) == 1 and first[0].type == "strong" and is_source_line(source)
        case _:
            return False


def _title_words(title: Node, convert: Converter) -> Story | None:
    words = bare_title(unwrapped(convert.inlines(_title_nodes(title))))
    text = inline_text(words)
    if not re.search(r"\w", text) or is_field_label(text):
        return None
    return Story(without_links(words), None, ())


def _title_nodes(title: Node) -> Nodes:
    """The inline nodes of a heading, or the first line of a paragraph."""
    nodes = inline_nodes(title)
    return nodes if title.type == "heading" else (lines_of(nodes) or [[]])[0]


def _lines_in(node: Node) -> list[Nodes]:
    """The lines of a paragraph, or of the entries of a list."""
    return list(_each_line(node))


def _each_line(node: Node) -> Iterator[Nodes]:
    if node.type == "paragraph":
        yield from lines_of(inline_nodes(node))
    elif node.type in _LISTS | {"list_item", "blockquote"}:
        for child in node.children:
            yield from _each_line(child)
