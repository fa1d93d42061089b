"""The titles in a post: its headings, and bold lines that stand for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from distributor.digest.blocks import inline_nodes, words_of
from distributor.digest.lines import begins_with_field, number_before, without_blank
from distributor.digest.nodes import Node
from distributor.digest.words import (
    holds_no_news,
    is_commentary_label,
    is_field_label,
    is_generic_link,
)

#: A paragraph that is one bold line ranks below any heading that Markdown has.
BOLD_LINE_RANK = 7
_BOLD_LINE_LENGTH = 60
#: A label in bold, and the colon after it.
_LABEL_PARTS = 2
#: Of one that is numbered, which prose is not.
_NUMBERED_LINE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Title:
    #: 1 is the highest.
    rank: int
    words: str

    @property
    def is_heading(self) -> bool:
        return self.rank < BOLD_LINE_RANK


class Titles:
    """Where the titles of a post are, and what belongs to each."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self._titles = {n: title for n, node in enumerate(nodes) if (title := title_of(node))}
        self._boundaries = self._next_boundaries()
        self._section_ends = self._find_section_ends()

    def at(self, index: int) -> Title | None:
        """The title at `index`, or None."""
        return self._titles.get(index)

    def items(self) -> Iterator[tuple[int, Title]]:
        yield from self._titles.items()

    def end_of_body(self, index: int) -> int:
        """Where what stands below the title at `index` ends: the next title, rule or label."""
        return self._boundaries[index]

    def boundary_after(self, index: int) -> int:
        """The next heading, rule or label after `index`, or the end; bold lines are passed."""
        after = self._boundaries[index]
        while after < len(self._nodes) and not is_boundary(self._nodes[after]):
            after = self._boundaries[after]
        return after

    def sibling_groups(self) -> list[tuple[int, ...]]:
        """Titles of one rank below the same title; deep ones first."""
        groups: dict[tuple[int, int], list[int]] = {}
        parents: list[tuple[int, int]] = []
        for index, title in self._titles.items():
            while parents and parents[-1][0] >= title.rank:
                parents.pop()
            parent = parents[-1][1] if parents else -1
            groups.setdefault((-title.rank, parent), []).append(index)
            parents.append((title.rank, index))
        return [tuple(found) for _, found in sorted(groups.items())]

    def numbered_series(self) -> list[tuple[int, ...]]:
        """Siblings that are numbered, where there are two or more of them."""
        series = (
            tuple(n for n in group if number_before(inline_nodes(self._nodes[n])))
            for group in self.sibling_groups()
        )
        return [indices for indices in series if len(indices) > 1]

    def end_of_section(self, index: int) -> int:
        """Where the next title begins that ranks as high as the one at `index`, or the end."""
        return self._section_ends.get(index, len(self._nodes))

    def _find_section_ends(self) -> dict[int, int]:
        ends: dict[int, int] = {}
        open_ones: list[tuple[int, int]] = []
        for index, title in self._titles.items():
            while open_ones and open_ones[-1][0] >= title.rank:
                ends[open_ones.pop()[1]] = index
            open_ones.append((title.rank, index))
        return ends

    def _next_boundaries(self) -> list[int]:
        boundaries = [0] * len(self._nodes)
        following = len(self._nodes)
        for index in range(len(self._nodes) - 1, -1, -1):
            boundaries[index] = following
            if index in self._titles or is_boundary(self._nodes[index]):
                following = index
        return boundaries


def title_of(node: Node) -> Title | None:
    """The title that `node` is: a heading, or a paragraph of one bold line."""
    if node.type == "heading":
        return Title(int(node.tag[1]), words_of(node).strip())
    if node.type != "paragraph":
        return None
    nodes = [n for n in inline_nodes(node) if n.type != "text" or n.content.strip(" :：")]
    if len(nodes) != 1 or nodes[0].type != "strong":
        return None
    words = words_of(nodes[0]).strip()
    longest = _NUMBERED_LINE_LENGTH if number_before(nodes) else _BOLD_LINE_LENGTH
    if len(words) > longest or is_generic_link(words) or begins_with_field(nodes):
        return None
    return Title(BOLD_LINE_RANK, words)


def is_label(node: Node) -> bool:
    """Whether `node` heads the editor's words: `### 点评`, `**点评：**`, `**点评：** …`."""
    if node.type == "heading":
        return is_commentary_label(words_of(node))
    if node.type != "paragraph":
        return False
    nodes = inline_nodes(node)
    return bool(nodes) and nodes[0].type == "strong" and is_commentary_label(words_of(nodes[0]))


def is_field_title(node: Node) -> bool:
    """Whether `node` is a bold line that heads a field of a story: `**Sources:**`."""
    nodes = without_blank(inline_nodes(node)) if node.type == "paragraph" else []
    is_bold = bool(nodes) and nodes[0].type == "strong" and len(nodes) <= _LABEL_PARTS
    words = words_of(node).strip(" :：")
    return is_bold and (holds_no_news(words) or is_field_label(words))


def is_boundary(node: Node) -> bool:
    return node.type in {"hr", "heading"} or is_label(node)
