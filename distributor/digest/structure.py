"""Where the parts of an edition are: intro, sections, items and the editor's closing words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from distributor.digest.blocks import Converter, words_of
from distributor.digest.candidates import Candidates
from distributor.digest.findings import Findings, quoted
from distributor.digest.model import Block, Heading, Item, Paragraph, Rule, Strong, Text
from distributor.digest.nodes import Node
from distributor.digest.plain import inline_text
from distributor.digest.repeats import without_repeats
from distributor.digest.story_lines import Story
from distributor.digest.titles import Titles, is_label
from distributor.digest.words import is_commentary_label


@dataclass(frozen=True, slots=True)
class Outline:
    """The body of an edition in its parts. All of it is intro when there are no items."""

    intro: tuple[Block, ...]
    sections: tuple[str, ...]
    items: tuple[Item, ...]
    commentary: tuple[Block, ...]


def outline(nodes: Sequence[Node], findings: Findings, convert: Converter) -> Outline:
    """The parts that the top-level blocks `nodes` make up."""
    return _Reading(nodes, findings, convert).outline()


class _Reading:
    """One pass over the blocks of an edition."""

    def __init__(self, nodes: Sequence[Node], findings: Findings, convert: Converter) -> None:
        self._nodes = nodes
        self._findings = findings
        self._convert = convert
        self._titles = Titles(nodes)
        candidates = Candidates(nodes, self._titles, convert)
        self._extents = candidates.extents
        self._stories = without_repeats(candidates.stories, findings)
        #: Titles of stories that stand somewhere else too: they and their bodies are left out.
        self._left_out = frozenset(self._extents) - frozenset(self._stories)
        self._sections = self._find_sections()
        self._intro: list[Block] = []
        self._items: list[Item] = []
        self._section: str | None = None
        self._section_is_new = False

    def outline(self) -> Outline:
        if not self._stories:
            return Outline(_without_outer_rules(self._convert.blocks(self._nodes)), (), (), ())
        end = self._end_of_items()
        index = 0
        while index < end:
            if index not in self._left_out:
                self._take(index)
            index = self._extents.get(index, index + 1)
        closing = self._convert.blocks(self._nodes[end:])
        sections = dict.fromkeys(item.section for item in self._items if item.section)
        return Outline(
            _without_outer_rules(self._intro),
            tuple(sections),
            tuple(self._items),
            _without_label(_without_outer_rules(closing)),
        )

    def _find_sections(self) -> frozenset[int]:
        """The titles that name sections.

        One that stands right above stories does. One with other words in between may head the
        intro, and names a section only when another title of its rank leads to stories too.
        """
        leading = {n: title.rank for n, title in self._titles.items() if self._leads(n)}
        ranks = Counter(leading.values())
        return frozenset(
            n for n, rank in leading.items() if self._stands_above(n) or ranks[rank] > 1
        )

    def _leads(self, index: int) -> bool:
        """Whether a story comes after a title and before the next of its rank."""
        title = self._titles.at(index)
        has_words = False
        for after in range(index + 1, len(self._nodes)):
            following = self._titles.at(after)
            if after in self._stories:
                return index not in self._stories
            if following and title and following.rank <= title.rank:
                return False
            if self._nodes[after].type == "hr" and has_words:
                return False
            has_words |= not following and self._nodes[after].type != "hr"
        return False

    def _stands_above(self, index: int) -> bool:
        after = index + 1
        while after < len(self._nodes) and (
            self._nodes[after].type in {"hr", "html_block"}
            or (self._titles.at(after) and after not in self._stories)
        ):
            after += 1
        return after in self._stories

    def _end_of_items(self) -> int:
        """Where the closing words begin: after the last story and what belongs to it."""
        last = max(self._stories)
        stories = self._stories[last]
        title = self._titles.at(last)
        if last not in self._extents or title is None:
            # The body of a lone entry may have lost its indentation.
            is_complete = len(stories) > 1 or (stories[0].body and not self._is_paragraph(last))
            return last + 1 if is_complete else self._titles.boundary_after(last)
        end = self._extents[last]
        while (
            (following := self._titles.at(end)) is not None
            and following.rank > title.rank
            and not is_label(self._nodes[end])
        ):
            end = self._titles.end_of_body(end)
        return end

    def _is_paragraph(self, index: int) -> bool:
        return self._nodes[index].type == "paragraph"

    def _take(self, index: int) -> None:
        """Put the block at `index` where it belongs."""
        node = self._nodes[index]
        if index in self._stories:
            self._add_items(self._stories[index])
        elif index in self._sections and not self._is_body(index):
            title = self._titles.at(index)
            self._section, self._section_is_new = title.words if title else None, True
        elif not self._items:
            self._intro.extend(self._convert.blocks([node]))
        elif node.type == "hr":
            return
        elif self._section_is_new:
            self._findings.add("moved-to-intro", f"moved to the intro: {quoted(words_of(node))}")
            self._intro.extend(self._convert.blocks([node]))
        else:
            self._extend_last_item(self._convert.blocks([node]))

    def _is_body(self, index: int) -> bool:
        """Whether a bold line is the body of the story above it, which has no other.

        One right above a list of stories heads them.
        """
        is_above_list = index + 1 in self._stories and not self._is_paragraph(index + 1)
        is_bold_line = self._nodes[index].type != "heading" and not is_above_list
        return is_bold_line and bool(self._items) and not self._items[-1].body

    def _add_items(self, stories: Iterable[Story]) -> None:
        for story in stories:
            number = len(self._items) + 1
            url = None if story.address is None else self._convert.source(story.address)
            section = story.group or self._section
            self._items.append(Item(number, story.title, url, story.body, section, story.author))
        self._section_is_new = False

    def _extend_last_item(self, blocks: tuple[Block, ...]) -> None:
        last = self._items[-1]
        self._items[-1] = replace(last, body=last.body + blocks)


def _without_outer_rules(blocks: Sequence[Block]) -> tuple[Block, ...]:
    start, end = 0, len(blocks)
    while start < end and isinstance(blocks[start], Rule):
        start += 1
    while start < end and isinstance(blocks[end - 1], Rule):
        end -= 1
    return tuple(blocks[start:end])


def _without_label(commentary: tuple[Block, ...]) -> tuple[Block, ...]:
    """The closing words without the heading that only says what they are."""
    match commentary:
        case (Heading(_, words), *rest) if is_commentary_label(inline_text(words)):
            return tuple(rest)
        case (Paragraph((Strong(words), *more)), *rest) if is_commentary_label(inline_text(words)):
            match more:
                case [Text(text), *others]:
                    text = text.lstrip(" ：:")
                    more = [Text(text), *others] if text else others
            return (Paragraph(tuple(more)), *rest) if more else tuple(rest)
        case _:
            return commentary
