"""Stories whose titles have no link: when they are most of a post, or lead on further below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from distributor.digest.blocks import Converter, inline_nodes, words_of
from distributor.digest.item_forms import is_field, is_strong_entry, plain_entry
from distributor.digest.lines import (
    address_of,
    is_source_line,
    is_web_link,
    lines_of,
    number_before,
    web_links,
)
from distributor.digest.nodes import Node
from distributor.digest.paragraph_forms import paragraph_stories
from distributor.digest.story_lines import Story

_LISTS = {"bullet_list", "ordered_list"}
#: A shorter list of bold beginnings is an aside.
_LEAST_STORIES = 3
#: Part of a post that lists without links, or numbered paragraphs, must be to be its stories.
_BOLD_SHARE, _PLAIN_SHARE, _NUMBERED_SHARE = 1 / 2, 2 / 3, 1 / 2

Stories = dict[int, tuple[Story, ...]]


def stories_without_links(
    nodes: Sequence[Node], blocks: Mapping[int, Node], convert: Converter
) -> Stories:
    """What most of a post tells: lists of bold titles, or of lines, or numbered paragraphs."""
    lists = {n: node for n, node in blocks.items() if node.type in _LISTS}
    fields = {node for node in lists.values() if any(map(is_field, node.children))}
    bold = {n: node for n, node in lists.items() if all(map(is_strong_entry, node.children))}
    plain = {n: node for n, node in lists.items() if node not in fields}
    numbered = {n: node for n, node in blocks.items() if _is_numbered(node)}
    everything = sum(len(words_of(node)) for node in nodes if node not in fields)
    for found, share in ((bold, _BOLD_SHARE), (plain, _PLAIN_SHARE), (numbered, _NUMBERED_SHARE)):
        said = sum(len(words_of(node)) for node in found.values())
        told = {n: stories for n, node in found.items() if (stories := _told(node, convert))}
        if sum(map(len, told.values())) >= _LEAST_STORIES and said >= everything * share:
            return told
    return {}


def lone_entries(nodes: Sequence[Node], convert: Converter) -> Iterator[tuple[int, int, Story]]:
    """Numbered lists of one title, each with paragraphs that name its source, and where they end.

    The body of such an entry has lost its indentation. There are two of them at least.
    """
    starts = [n for n, node in enumerate(nodes) if _is_lone_title(node)]
    found = []
    for start, following in pairwise((*starts, len(nodes))):
        others = (n for n in range(start + 1, following) if nodes[n].type != "paragraph")
        body = nodes[start + 1 : next(others, following)]
        story, address = plain_entry(nodes[start].children[0], convert), _source_in(body)
        if story and address:
            told = replace(story, address=address, body=convert.blocks(body))
            found.append((start, start + 1 + len(body), told))
    if len(found) > 1:
        yield from found


def _is_lone_title(node: Node) -> bool:
    is_lone = node.type == "ordered_list" and len(node.children) == 1
    return is_lone and not any(map(is_web_link, node.walk()))


def _source_in(body: Sequence[Node]) -> str | None:
    lines = (line for node in body for line in lines_of(inline_nodes(node)))
    source = next(filter(is_source_line, lines), None)
    return address_of(next(web_links(source))) if source else None


def _is_numbered(node: Node) -> bool:
    return node.type == "paragraph" and number_before(inline_nodes(node))


def _told(node: Node, convert: Converter) -> tuple[Story, ...]:
    if node.type in _LISTS:
        told = (plain_entry(entry, convert) for entry in node.children)
        return tuple(story for story in told if story)
    found = paragraph_stories(node, convert)
    return found.stories if found else ()
