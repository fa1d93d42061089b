"""The forms that a story takes in a digest: list entries, titles with a body, table rows.

A form looks at one piece of a post and says which story it is, or None. What a line tells is in
`story_lines`, paragraphs are in `paragraph_forms`, and which forms a post uses is for `candidates`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from distributor.digest.blocks import Converter, inline_nodes, unwrapped, words_of
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
from distributor.digest.model import Block
from distributor.digest.nodes import Node
from distributor.digest.plain import inline_text
from distributor.digest.story_lines import (
    Story,
    bare_title,
    cell_paragraph,
    linked_line,
    paragraph,
    plain_line,
    referred_line,
    sourced_line,
    without_leading_mark,
    without_links,
)
from distributor.digest.words import is_field_label

_LISTS = {"bullet_list", "ordered_list"}
#: Words of a list entry that only names the source of those below it.
_LONGEST_GROUP_NAME = 60


def entry_stories(entry: Node, convert: Converter) -> tuple[Story, ...]:
    """The stories of one list entry: itself, or the entries of the list that it heads."""
    nested = _stories_below(entry, convert)
    if nested:
        return nested
    story = entry_story(entry, convert)
    return (story,) if story else ()


def entry_story(entry: Node, convert: Converter) -> Story | None:
    """The story of a list entry that has a link; None for a field of another story."""
    lines = _entry_lines(entry)
    if not lines or begins_with_field(lines[0]):
        return None
    below = _lines_below(lines[1:], entry, convert)
    return (
        linked_line(lines[0], below, convert)
        or referred_line(lines[0], below, convert)
        or _bold_with_source(entry, lines, convert)
        or sourced_line(lines[0], below, convert)
        or _source_below(entry, lines, convert)
    )


def plain_entry(entry: Node, convert: Converter) -> Story | None:
    """An entry without a link, in a list whose other entries are stories."""
    lines = _entry_lines(entry)
    if not lines or begins_with_field(lines[0]):
        return None
    return plain_line(lines[0], _lines_below(lines[1:], entry, convert), convert)


def is_strong_entry(entry: Node) -> bool:
    """Whether an entry begins with its title in bold, as stories do that have no link."""
    lines = _entry_lines(entry)
    if not lines or begins_with_field(lines[0]):
        return False
    first = without_blank(lines[0])[:1]
    return bool(first) and first[0].type == "strong"


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


def numbered_title(title: Node, below: Nodes, convert: Converter) -> Story | None:
    """`### 1. title` and its body; it leads where the first link of the body leads."""
    words = _title_words(title, convert)
    if words is None:
        return None
    link = next((n for node in below for n in node.walk() if is_web_link(n)), None)
    return replace(words, address=address_of(link) if link else None, body=convert.blocks(below))


def row_story(cells: Nodes, convert: Converter) -> Story | None:
    """`| [title](url) | words |`, or a row whose link says only “PDF” beside the title."""
    for position, cell in enumerate(cells):
        line = inline_nodes(cell)
        link = next(web_links(line), None)
        if link is None:
            continue
        others = (*cells[:position], *cells[position + 1 :])
        if not is_generic(link):
            story = linked_line(line, (), convert) or sourced_line(line, (), convert)
            return replace(story, body=story.body + _cells(others, convert)) if story else None
        return _titled_elsewhere(link, others, convert)
    return None


def _titled_elsewhere(link: Node, others: Nodes, convert: Converter) -> Story | None:
    """The story of a row whose title is the cell with the most words, or the one in bold."""
    cells = [cell for cell in others if re.search(r"[^\W\d]", words_of(cell))]
    if not cells:
        return None
    bold = [cell for cell in cells if [n.type for n in inline_nodes(cell)][:1] == ["strong"]]
    title = max(bold or cells, key=lambda cell: len(words_of(cell)))
    words = without_links(unwrapped(convert.inlines(inline_nodes(title))))
    rest = tuple(cell for cell in others if cell is not title)
    return Story(words, address_of(link), _cells(rest, convert))


def _cells(cells: Nodes, convert: Converter) -> tuple[Block, ...]:
    return tuple(block for cell in cells for block in cell_paragraph(cell, convert))


def _stories_below(entry: Node, convert: Converter) -> tuple[Story, ...]:
    """Entries of the lists in `entry`, when it is no story but names where they come from."""
    lists = [node for node in entry.children if node.type in _LISTS]
    lines = _entry_lines(entry)
    if not lists or not lines or next(web_links(lines[0]), None) or len(lines) > 1:
        return ()
    name = inline_text(unwrapped(convert.inlines(lines[0]))).strip(" :：")
    if len(name) > _LONGEST_GROUP_NAME:
        return ()
    entries = [inner for node in lists for inner in node.children]
    found = [story for inner in entries for story in entry_stories(inner, convert)]
    if len(found) * 2 < len(entries) or (len(found) == 1 and len(entries) > 1):
        return ()
    return tuple(replace(story, group=story.group or name) for story in found)


def _bold_with_source(entry: Node, lines: Sequence[Nodes], convert: Converter) -> Story | None:
    """`**title**：body … [source](url)`: the title in bold first, the link anywhere after it."""
    nodes = without_blank(lines[0])
    if nodes[0].type != "strong":
        return None
    link = next((n for n in entry.walk() if is_web_link(n)), None)
    title = without_links(convert.inlines(nodes[0].children))
    if link is None or not re.search(r"\w", inline_text(title)):
        return None
    rest = inline_nodes(entry.children[0])
    start = next(n for n, node in enumerate(rest) if node.type == "strong") + 1
    body = paragraph(rest[start:], convert) + convert.blocks(entry.children[1:])
    return Story(bare_title(title), address_of(link), without_leading_mark(body))


def _source_below(entry: Node, lines: Sequence[Nodes], convert: Converter) -> Story | None:
    """A title, and the link on a line or an entry of its own, or somewhere in the body."""
    inside = (n for node in entry.children[1:] for n in node.walk() if is_web_link(n))
    link = next((n for line in lines[1:] for n in web_links(line)), None) or next(inside, None)
    if link is None:
        return None
    kept = [line for line in lines[1:] if not is_source_line(line)]
    story = plain_line(lines[0], _lines_below(kept, entry, convert), convert)
    return replace(story, address=address_of(link)) if story else None


def _holds_stories(below: Nodes) -> bool:
    """Whether the body of a title is a list of stories in paragraphs."""
    paragraphs = [node for node in below if node.type == "paragraph"]
    return any(number_before(inline_nodes(n)) or _is_titled_source(n) for n in paragraphs)


def _is_list_of_links(sources: Sequence[tuple[Node, Nodes]]) -> bool:
    """Whether source lines without any label are so many that each may be a story."""
    bare = [line for _, line in sources if title_link(line) and not begins_with_field(line)]
    return sum(not is_generic(next(web_links(line))) for line in bare) > 1


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


def _entry_lines(entry: Node) -> list[Nodes]:
    if not entry.children or entry.children[0].type not in {"paragraph", "heading"}:
        return []
    return lines_of(inline_nodes(entry.children[0]))


def _lines_below(lines: Sequence[Nodes], entry: Node, convert: Converter) -> tuple[Block, ...]:
    """The lines of an entry's first paragraph that follow the title, and its other blocks."""
    nodes = [node for line in lines for node in line]
    return paragraph(nodes, convert) + convert.blocks(entry.children[1:])


def _lines_in(node: Node) -> list[Nodes]:
    """The lines of a paragraph, or of the entries of a list."""
    return list(_each_line(node))


def _each_line(node: Node) -> Iterator[Nodes]:
    if node.type == "paragraph":
        yield from lines_of(inline_nodes(node))
    elif node.type in _LISTS | {"list_item", "blockquote"}:
        for child in node.children:
            yield from _each_line(child)
