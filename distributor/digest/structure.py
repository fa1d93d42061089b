"""Where the parts of an edition are: intro, sections, items and the editor's closing words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from markdown_it.tree import SyntaxTreeNode

from distributor.digest.blocks import Converter, inline_nodes, words_of
from distributor.digest.findings import Findings, quoted
from distributor.digest.item_forms import (
    HEADING_FORMS,
    LIST_FORMS,
    ROW_FORMS,
    Story,
    plain_entry,
)
from distributor.digest.model import Block, Heading, Item, Paragraph, Rule, Strong, Text
from distributor.digest.plain import inline_text

#: A paragraph that is one bold line heads a section below any heading that Markdown has.
_BOLD_LINE_LEVEL = 7
_BOLD_LINE_LENGTH = 40
_LABEL = re.compile(
    r"\W*(?:(?:今日|本期|本周|每日|编辑|小编|专家|资深|行业|AI)*"
    r"(?:点评|短评|锐评|评论|观察|总结|小结|结语|编者按|编后语|编者的话|写在最后)"
    r"|editor['’]?s? (?:note|comment|comments|commentary|take)"
    r"|commentary|our take|closing (?:thoughts|words|notes)|the bottom line|takeaways?)\W*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Outline:
    """The body of an edition in its parts. All of it is intro when there are no items."""

    intro: tuple[Block, ...]
    sections: tuple[str, ...]
    items: tuple[Item, ...]
    commentary: tuple[Block, ...]


def outline(nodes: Sequence[SyntaxTreeNode], findings: Findings) -> Outline:
    """The parts that the top-level blocks `nodes` make up."""
    return _Reading(nodes, findings).outline()


def heading_of(node: SyntaxTreeNode) -> tuple[int, str] | None:
    """Level and words of a heading, or of a bold line that stands for one; None for others."""
    if node.type == "heading":
        return int(node.tag[1]), words_of(node).strip()
    if node.type != "paragraph":
        return None
    match inline_nodes(node):
        case [only] if only.type == "strong" and len(words_of(only)) <= _BOLD_LINE_LENGTH:
            return _BOLD_LINE_LEVEL, words_of(only).strip()
        case _:
            return None


class _Reading:
    """One pass over the blocks of an edition."""

    def __init__(self, nodes: Sequence[SyntaxTreeNode], findings: Findings) -> None:
        self._nodes = nodes
        self._findings = findings
        self._convert = Converter(findings)
        self._headings = {n: h for n, node in enumerate(nodes) if (h := heading_of(node))}
        self._stories: dict[int, tuple[Story, ...]] = {}
        #: For each heading that is a story, where what stands below it ends.
        self._extents: dict[int, int] = {}
        self._find_stories()
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

    def _find_stories(self) -> None:
        index = 0
        while index < len(self._nodes):
            node = self._nodes[index]
            stories = self._stories_at(index, node)
            if stories:
                self._stories[index] = stories
            if stories and node.type == "heading":
                self._extents[index] = self._boundary_after(index)
            index = self._extents.get(index, index + 1)

    def _find_sections(self) -> frozenset[int]:
        """The headings that name sections.

        One that stands right above stories does. One with other words in between may head the
        intro, and names a section only when another heading of its rank leads to stories too.
        """
        leading = {n: level for n, (level, _) in self._headings.items() if self._leads(n)}
        ranks = Counter(leading.values())
        return frozenset(
            n for n, level in leading.items() if self._stands_above(n) or ranks[level] > 1
        )

    def _leads(self, index: int) -> bool:
        """Whether a story comes after a heading and before the next of its rank."""
        has_words = False
        for after in range(index + 1, len(self._nodes)):
            following = self._headings.get(after)
            if after in self._stories:
                return index not in self._stories
            if following and following[0] <= self._headings[index][0]:
                return False
            if self._nodes[after].type == "hr" and has_words:
                return False
            has_words |= not following and self._nodes[after].type != "hr"
        return False

    def _stands_above(self, index: int) -> bool:
        after = index + 1
        while after < len(self._nodes) and (
            self._nodes[after].type in {"hr", "html_block"}
            or (after in self._headings and after not in self._stories)
        ):
            after += 1
        return after in self._stories

    def _stories_at(self, index: int, node: SyntaxTreeNode) -> tuple[Story, ...]:
        match node.type:
            case "ordered_list" | "bullet_list":
                return self._stories_of_list(node)
            case "heading":
                below = self._nodes[index + 1 : self._boundary_after(index)]
                forms = (form(node, below, self._convert) for form in HEADING_FORMS)
                return tuple(story for story in forms if story)[:1]
            case "table":
                return self._stories_of_table(node)
            case _:
                return ()

    def _stories_of_list(self, node: SyntaxTreeNode) -> tuple[Story, ...]:
        """The entries of a list in which at least every second one is a story."""
        found = [
            next((s for form in LIST_FORMS if (s := form(entry, self._convert))), None)
            for entry in node.children
        ]
        if sum(story is not None for story in found) * 2 < len(found) or not any(found):
            return ()
        stories = (
            story or plain_entry(entry, self._convert)
            for story, entry in zip(found, node.children, strict=True)
        )
        return tuple(story for story in stories if story)

    def _stories_of_table(self, node: SyntaxTreeNode) -> tuple[Story, ...]:
        rows = [row for part in node.children if part.type == "tbody" for row in part.children]
        stories = [
            next((s for form in ROW_FORMS if (s := form(row.children, self._convert))), None)
            for row in rows
        ]
        return tuple(s for s in stories if s) if rows and all(stories) else ()

    def _boundary_after(self, index: int) -> int:
        """The next rule, heading or label after `index`, or the end."""
        after = range(index + 1, len(self._nodes))
        return next((n for n in after if _is_boundary(self._nodes[n])), len(self._nodes))

    def _end_of_items(self) -> int:
        """Where the closing words begin: after the last story and what belongs to it."""
        last = max(self._stories)
        stories = self._stories[last]
        if self._nodes[last].type != "heading":
            # The body of a lone entry may have lost its indentation.
            is_complete = len(stories) > 1 or stories[0].body
            return last + 1 if is_complete else self._boundary_after(last)
        end = self._extents[last]
        rank = self._headings[last][0]
        while (
            end in self._headings
            and self._headings[end][0] > rank
            and not _is_label(self._nodes[end])
        ):
            end = self._boundary_after(end)
        return end

    def _take(self, index: int) -> None:
        """Put the block at `index` where it belongs."""
        node = self._nodes[index]
        if index in self._stories:
            self._add_items(self._stories[index])
        elif index in self._sections and not self._is_body(index):
            self._section, self._section_is_new = self._headings[index][1], True
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
        """Whether a bold line is the body of the story above it, which has no other."""
        is_bold_line = self._nodes[index].type != "heading"
        return is_bold_line and bool(self._items) and not self._items[-1].body

    def _add_items(self, stories: Iterable[Story]) -> None:
        for story in stories:
            number = len(self._items) + 1
            self._items.append(
                Item(number, story.title, story.url, story.body, self._section, story.author)
            )
        self._section_is_new = False

    def _extend_last_item(self, blocks: tuple[Block, ...]) -> None:
        last = self._items[-1]
        self._items[-1] = replace(last, body=last.body + blocks)


def _is_label(node: SyntaxTreeNode) -> bool:
    """Whether `node` heads the editor's words: `### 点评`, `**点评：**`, `**点评：** …`."""
    if node.type == "heading":
        return bool(_LABEL.fullmatch(words_of(node)))
    if node.type != "paragraph":
        return False
    children = inline_nodes(node)
    return (
        bool(children)
        and children[0].type == "strong"
        and bool(_LABEL.fullmatch(words_of(children[0])))
    )


def _is_boundary(node: SyntaxTreeNode) -> bool:
    return node.type in {"hr", "heading"} or _is_label(node)


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
        case (Heading(_, words), *rest) if _LABEL.fullmatch(inline_text(words)):
            return tuple(rest)
        case (Paragraph((Strong(words), *more)), *rest) if _LABEL.fullmatch(inline_text(words)):
            match more:
                case [Text(text), *others]:
                    text = text.lstrip(" ：:")
                    more = [Text(text), *others] if text else others
            return (Paragraph(tuple(more)), *rest) if more else tuple(rest)
        case _:
            return commentary
