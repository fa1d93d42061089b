"""Stories that are written as paragraphs, in posts that use no list for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from distributor.digest.addresses import leads_nowhere
from distributor.digest.blocks import Converter, inline_nodes, words_of
from distributor.digest.lines import (
    Nodes,
    address_of,
    begins_with_field,
    ends_with_source,
    is_source_line,
    lines_of,
    link_in,
    number_before,
    title_link,
    web_links,
    without_blank,
    without_ornament,
)
from distributor.digest.nodes import Node
from distributor.digest.story_lines import (
    Story,
    linked_line,
    paragraph,
    plain_line,
    sourced_line,
)
from distributor.digest.words import is_generic_link

#: What joins a title that is a link to the words about it.
_SEPARATOR = re.compile(r"\s*(?:$|[:：|｜（(\[【—–·•]|(?:-{1,3}|/|→)\s|[,，]?\s*(?:by|via)\s)")
#: What stands before the one who said it.
_DASHES = ("-", "–", "—", "―")
_BULLET = re.compile(r"\s*[•·▪▫◦●○■□◆◇▶►➤→✅☑️🔹🔸]\s*")
_LEAST_LINES = 2
_LONGEST_TITLE_LINE = 100


class Form(Enum):
    """How a paragraph tells a story; a post keeps to one or two of them."""

    #: `1、[title](url)：words`, `**1. title**`
    NUMBERED = auto()
    #: A link, and at most words about it behind a separator.
    LINKED = auto()
    #: A line, and the address of its source on the next one.
    SOURCED = auto()
    #: A title in bold, words about it, and a link to read on at the end.
    CLOSED = auto()
    #: Several lines that each tell one.
    LINES = auto()


@dataclass(frozen=True, slots=True)
class Found:
    form: Form
    stories: tuple[Story, ...]


def paragraph_stories(node: Node, convert: Converter) -> Found | None:
    """The stories that the paragraph `node` may hold; prose holds none."""
    lines = lines_of(inline_nodes(node))
    if not lines:
        return None
    if len(lines) >= _LEAST_LINES and (stories := _stories_of_lines(lines, convert)):
        return Found(Form.LINES, stories)
    below = paragraph([node for line in lines[1:] for node in line], convert)
    source = next((line for line in lines[1:] if is_source_line(line)), None)
    if number_before(lines[0]) and not begins_with_field(lines[0]):
        story = (
            linked_line(lines[0], below, convert)
            or sourced_line(lines[0], below, convert)
            or plain_line(lines[0], below, convert)
        )
        if story and not story.address and source:
            story = replace(story, address=address_of(next(web_links(source))))
        return Found(Form.NUMBERED, (story,)) if story else None
    if len(lines) >= _LEAST_LINES and _is_title(lines[0]) and is_source_line(lines[1]):
        rest = paragraph([node for line in lines[2:] for node in line], convert)
        if story := plain_line(lines[0], rest, convert):
            address = address_of(next(web_links(lines[1])))
            return Found(Form.SOURCED, (replace(story, address=address),))
    if is_closed(node) and (story := sourced_line(without_ornament(lines[0]), below, convert)):
        address = address_of(list(web_links(lines[-1]))[-1])
        return Found(Form.CLOSED, (replace(story, address=address),))
    if _is_linked(lines[0]):
        story = linked_line(lines[0], below, convert) or sourced_line(lines[0], below, convert)
        return Found(Form.LINKED, (story,)) if story else None
    return None


def is_closed(node: Node) -> bool:
    """Whether a paragraph begins with a title in bold, and ends with a link to read on."""
    lines = lines_of(inline_nodes(node))
    first = without_blank(without_ornament(lines[0]))[:1] if lines else []
    if not first or first[0].type != "strong" or begins_with_field(lines[0]):
        return False
    return not link_in(first[0]) and ends_with_source(lines[-1])


def bold_beginning(node: Node, convert: Converter) -> Story | None:
    """`**title** — words`, whose source stands in a paragraph below."""
    lines = lines_of(inline_nodes(node))
    first = without_blank(lines[0])[:1] if lines else []
    if not first or first[0].type != "strong" or begins_with_field(lines[0]):
        return None
    if is_generic_link(words_of(first[0])):
        return None
    rest = paragraph([node for line in lines[1:] for node in line], convert)
    return plain_line(lines[0], rest, convert)


def source_in(node: Node) -> str | None:
    """The address of a paragraph that only says where a story is from."""
    lines = lines_of(inline_nodes(node)) if node.type == "paragraph" else []
    if len(lines) != 1 or not is_source_line(lines[0]):
        return None
    return address_of(next(web_links(lines[0])))


def _is_title(line: Nodes) -> bool:
    words = "".join(map(words_of, line)).strip()
    return len(words) <= _LONGEST_TITLE_LINE and not words.endswith((":", "：", "。", "."))


def _is_linked(line: Nodes) -> bool:
    """Whether a line is a title that is a link, and what follows it is about it."""
    found = title_link(line)
    if found is None:
        return False
    position, link = found
    if leads_nowhere(address_of(link)):
        return False
    if words_of(link).lstrip().startswith("@"):
        # Who recommends it, and then the story.
        rest = line[position + 1 :]
        return "".join(map(words_of, rest[:1])).strip() in {":", "："} and any(web_links(rest))
    if "".join(map(words_of, line[:position])).lstrip()[:1] in _DASHES:
        return False
    is_bold = line[position].type == "strong"
    tail = "".join(map(words_of, line[position + 1 :]))
    return is_bold or bool(_SEPARATOR.match(tail))


def _stories_of_lines(lines: Sequence[Nodes], convert: Converter) -> tuple[Story, ...]:
    """One story a line, when every line begins like one."""
    if not all(_begins_story(line) for line in lines):
        return ()
    stories = (linked_line(line, (), convert) or sourced_line(line, (), convert) for line in lines)
    found = tuple(story for story in stories if story)
    return found if len(found) == len(lines) else ()


def _begins_story(line: Nodes) -> bool:
    if is_source_line(line) and _is_bare(line):
        return False
    if next(web_links(line), None) is None or begins_with_field(line):
        return False
    first = without_blank(line)[0]
    has_mark = first.type == "text" and bool(_BULLET.match(first.content))
    return has_mark or number_before(line) or _is_linked(line)


def _is_bare(line: Nodes) -> bool:
    """Whether a line is nothing but an address: it belongs to the line above."""
    nodes = without_blank(line)
    return len(nodes) == 1 and words_of(nodes[0]).startswith(("http://", "https://"))
