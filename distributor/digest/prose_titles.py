"""Titles above prose: where a post tells its stories so, without any link of their own.

Most prose is none. A title counts between others that name their sources, or in a post of short
pieces in sections, which is no essay.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence

from distributor.digest.blocks import words_of
from distributor.digest.lines import is_web_link
from distributor.digest.nodes import Node
from distributor.digest.titles import Titles

#: Fewer are the parts of an essay.
_LEAST_SECTIONS, _LEAST_TITLES = 2, 4
#: Blocks below a title, on the average; there are more in an essay.
_MOST_BLOCKS = 2


def titles_between(group: Sequence[int], told: Container[int]) -> list[int]:
    """The titles of `group` that stand between two of `told`, when those are the fewer."""
    places = [place for place, index in enumerate(group) if index in told]
    between = group[places[0] : places[-1]] if places else ()
    others = [index for index in between if index not in told]
    return others if len(others) <= len(places) else []


def titles_in_sections(nodes: Sequence[Node], titles: Titles) -> list[int]:
    """The titles of the lowest rank, right below sections, if they look like short stories."""
    groups = [group for group in titles.sibling_groups() if _is_below_section(titles, group)]
    lowest = max((_rank(titles, group[0]) for group in groups), default=0)
    sections = [group for group in groups if _rank(titles, group[0]) == lowest]
    found = [n for group in sections for n in group if has_prose_below(nodes, titles, n)]
    if len(sections) < _LEAST_SECTIONS or len(found) < _LEAST_TITLES:
        return []
    linked = sum(has_link_below(nodes, titles, index) for index in found)
    blocks = sum(titles.end_of_body(index) - index - 1 for index in found)
    is_told = linked * 2 >= len(found) and blocks <= len(found) * _MOST_BLOCKS
    return found if is_told else []


def has_prose_below(nodes: Sequence[Node], titles: Titles, index: int) -> bool:
    """Whether a paragraph with words stands somewhere below a title."""
    below = nodes[index + 1 : titles.end_of_section(index)]
    return any(node.type == "paragraph" and re.search(r"\w", words_of(node)) for node in below)


def has_link_below(nodes: Sequence[Node], titles: Titles, index: int) -> bool:
    """Whether the body of a title leads to another page."""
    below = nodes[index + 1 : titles.end_of_body(index)]
    return any(is_web_link(node) for block in below for node in block.walk())


def _is_below_section(titles: Titles, group: Sequence[int]) -> bool:
    """Whether the first of some headings stands right below a higher one."""
    title = titles.at(group[0])
    above = titles.at(group[0] - 1)
    return bool(title and title.is_heading and above and above.rank < title.rank)


def _rank(titles: Titles, index: int) -> int:
    title = titles.at(index)
    return title.rank if title else 0
