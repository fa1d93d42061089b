"""The forms that a story takes in a digest: list entries and table rows.

A form looks at one piece of a post and says which story it is, or None. What a line tells is in
`story_lines`, paragraphs are in `paragraph_forms`, titles in `title_forms`, and which forms a post
uses is for `candidates`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from distributor.digest.blocks import Converter, inline_nodes, unwrapped, words_of
from distributor.digest.lines import (
    Nodes,
    address_of,
    begins_with_field,
    is_generic,
    is_source_line,
    is_web_link,
    lines_of,
    link_in,
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
        or _described_address(entry, convert)
        or _source_below(entry, lines, convert)
    )


def plain_entry(entry: Node, convert: Converter) -> Story | None:
    """An entry without a link, in a list whose other entries are stories."""
    lines = _entry_lines(entry)
    if not lines or begins_with_field(lines[0]):
        return None
    return plain_line(lines[0], _lines_below(lines[1:], entry, convert), convert)


def is_field(entry: Node) -> bool:
    """Whether an entry gives a field of the story that its list belongs to."""
    lines = _entry_lines(entry)
    return bool(lines) and begins_with_field(lines[0])


def is_strong_entry(entry: Node) -> bool:
    """Whether an entry begins with its title in bold, as stories do that have no link."""
    lines = _entry_lines(entry)
    if not lines or begins_with_field(lines[0]):
        return False
    first = without_blank(lines[0])[:1]
    return bool(first) and first[0].type == "strong"


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


def _described_address(entry: Node, convert: Converter) -> Story | None:
    """`- https://…` and the entries of a list about it, of which the first is the title."""
    address = _bare_address(entry)
    about = next((node for node in entry.children[1:] if node.type in _LISTS), None)
    if address is None or about is None:
        return None
    first, *others = about.children
    story = plain_entry(first, convert)
    rest = convert.blocks(block for other in others for block in other.children)
    return replace(story, address=address, body=story.body + rest) if story else None


def is_described_address(entry: Node) -> bool:
    """Whether an entry is an address, and has a list about it."""
    return _bare_address(entry) is not None and any(n.type in _LISTS for n in entry.children[1:])


def _bare_address(entry: Node) -> str | None:
    """The address that an entry's first paragraph is, with nothing beside it."""
    lines = _entry_lines(entry)
    nodes = without_blank(lines[0]) if len(lines) == 1 else []
    link = link_in(nodes[0]) if len(nodes) == 1 else None
    return address_of(link) if link and is_generic(link) else None


def _entry_lines(entry: Node) -> list[Nodes]:
    if not entry.children or entry.children[0].type not in {"paragraph", "heading"}:
        return []
    return lines_of(inline_nodes(entry.children[0]))


def _lines_below(lines: Sequence[Nodes], entry: Node, convert: Converter) -> tuple[Block, ...]:
    """The lines of an entry's first paragraph that follow the title, and its other blocks."""
    nodes = [node for line in lines for node in line]
    return paragraph(nodes, convert) + convert.blocks(entry.children[1:])
