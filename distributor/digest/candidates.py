"""Which blocks of a post tell stories, judged by the whole of it: a single sign may deceive.

Each top-level block is asked for the stories it might tell. Then the post decides: numbered titles
count when there are two of them, a list below a story is its body, and a section of links to
subscribe or to read on holds no news.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from distributor.digest.blocks import Converter, inline_nodes, words_of
from distributor.digest.item_forms import (
    entry_stories,
    is_field,
    plain_entry,
    row_story,
)
from distributor.digest.lines import (
    Nodes,
    lines_of,
    number_before,
)
from distributor.digest.no_news import blocks_without_news
from distributor.digest.nodes import Node
from distributor.digest.paragraph_forms import (
    Form,
    Found,
    bold_beginning,
    paragraph_stories,
    source_in,
)
from distributor.digest.prose_titles import (
    has_link_below,
    has_prose_below,
    titles_between,
    titles_in_sections,
)
from distributor.digest.story_lines import Story
from distributor.digest.title_forms import (
    begins_with_source,
    numbered_title,
    title_with_last_link,
    title_with_link,
    title_with_source,
)
from distributor.digest.titles import Titles, is_boundary
from distributor.digest.unlinked import lone_entries, stories_without_links

_LISTS = {"bullet_list", "ordered_list"}
_TitleForm = Callable[[Node, Nodes, Converter], Story | None]


class Candidates:
    """The stories of each block that tells some, and how far a title's story reaches."""

    def __init__(self, nodes: Sequence[Node], titles: Titles, convert: Converter) -> None:
        self._nodes = nodes
        self._titles = titles
        self._convert = convert
        self.stories: dict[int, tuple[Story, ...]] = {}
        #: For each title that is a story, where what stands below it ends.
        self.extents: dict[int, int] = {}
        self._silent = frozenset(blocks_without_news(nodes, titles))
        self._find_lists_and_tables()
        self._find_bold_beginnings()
        self._find_titles()
        self._find_lone_entries()
        self._find_paragraphs()
        self._drop_lists_in_bodies()
        if not self.stories:
            self._find_titles_above_prose()
        if not self.stories:
            self.stories = stories_without_links(nodes, dict(self._open_blocks()), convert)

    def _open_blocks(self) -> Iterator[tuple[int, Node]]:
        for index, node in enumerate(self._nodes):
            if index not in self._silent:
                yield index, node

    def _find_lists_and_tables(self) -> None:
        for index, node in self._open_blocks():
            if node.type in _LISTS:
                found = self._of_list(node)
            elif node.type == "table":
                found = self._of_table(node)
            else:
                continue
            if found:
                self.stories[index] = found

    def _of_list(self, node: Node) -> tuple[Story, ...]:
        """The entries of a list in which at least every second one is a story."""
        found = [entry_stories(entry, self._convert) for entry in node.children]
        told = sum(bool(stories) for stories in found)
        fields = sum(is_field(entry) for entry in node.children)
        if not told or told * 2 < len(found) or fields * 2 >= len(found):
            return ()
        plain = (
            stories or filter(None, [plain_entry(entry, self._convert)])
            for stories, entry in zip(found, node.children, strict=True)
        )
        return tuple(story for stories in plain for story in stories)

    def _of_table(self, node: Node) -> tuple[Story, ...]:
        parts = (part for part in node.children if part.type == "tbody")
        rows = [row for part in parts for row in part.children if re.search(r"\w", words_of(row))]
        stories = [story for row in rows if (story := row_story(row.children, self._convert))]
        return tuple(stories) if len(stories) * 2 > len(rows) else ()

    def _find_titles(self) -> None:
        """Headings, and bold lines, that are stories with what stands below them."""
        for form in (title_with_link, title_with_source):
            for index, _ in self._titles.items():
                self._try_title(index, form)
        for indices in self._titles.numbered_series():
            self._try_series(indices)
        self._find_titles_with_last_links()
        for group in self._titles.sibling_groups():
            self._find_titles_between(group)

    def _find_titles_with_last_links(self) -> None:
        """Titles whose bodies end with a link to read on, where most of the siblings do.

        Titles of sections do not: one of them has stories in several paragraphs below it.
        """
        for group in self._titles.sibling_groups():
            if any(map(self._has_closed_paragraphs, group)):
                continue
            ending = [index for index in group if self._has_last_link(index)]
            if len(ending) > 1 and len(ending) * 2 > len(group):
                for index in ending:
                    self._try_title(index, title_with_last_link)

    def _has_closed_paragraphs(self, index: int) -> bool:
        """Whether several paragraphs below a title each begin in bold and end with a link."""
        below = self._nodes[index + 1 : self._titles.end_of_body(index)]
        told = (paragraph_stories(n, self._convert) for n in below if n.type == "paragraph")
        return sum(one is not None and one.form is Form.CLOSED for one in told) > 1

    def _find_lone_entries(self) -> None:
        """Lists of one entry each, whose bodies have lost their indentation."""
        taken = self._silent | self.stories.keys() | self._bodies()
        for index, end, story in lone_entries(self._nodes, self._convert):
            if taken.isdisjoint(range(index, end)):
                self.stories[index], self.extents[index] = (story,), end

    def _bodies(self) -> set[int]:
        """The blocks that belong to titles that are stories."""
        return {n for start, end in self.extents.items() for n in range(start, end)}

    def _find_titles_between(self, group: Sequence[int]) -> None:
        """Titles above prose that stand between stories of their rank are stories as well."""
        for index in titles_between(group, self.extents):
            if self._is_above_prose(index):
                self._try_title(index, numbered_title)

    def _find_titles_above_prose(self) -> None:
        """Where nothing else tells stories, the titles above prose in a post of sections."""
        for index in titles_in_sections(self._nodes, self._titles):
            self._try_title(index, numbered_title)

    def _is_above_prose(self, index: int) -> bool:
        return not self._heads_stories(index) and has_prose_below(self._nodes, self._titles, index)

    def _has_last_link(self, index: int) -> bool:
        below = self._nodes[index + 1 : self._titles.end_of_body(index)]
        is_open = index not in self.stories and index not in self._silent
        return is_open and bool(title_with_last_link(self._nodes[index], below, self._convert))

    def _try_series(self, indices: Sequence[int]) -> None:
        """Numbered titles below one title: stories, unless they head stories themselves."""
        told = [index for index in indices if index in self.stories]
        open_ones = [index for index in indices if index not in self.stories]
        sections = sum(map(self._heads_stories, open_ones))
        if sections * 2 >= len(indices) or (not told and self._has_sources_elsewhere(indices)):
            return
        for index in open_ones:
            self._try_title(index, numbered_title)

    def _heads_stories(self, index: int) -> bool:
        return any(n in self.stories for n in range(index + 1, self._titles.end_of_section(index)))

    def _has_sources_elsewhere(self, indices: Sequence[int]) -> bool:
        """Whether titles elsewhere name their sources, and none of these does."""
        has_link = any(has_link_below(self._nodes, self._titles, index) for index in indices)
        return not has_link and bool(self.extents)

    def _try_title(self, index: int, form: _TitleForm) -> None:
        if index in self._silent or index in self.stories:
            return
        end = self._titles.end_of_body(index)
        inside = [n for n in range(index + 1, end) if n in self.stories]
        if inside and not self._takes_lists(index, inside, form):
            return
        if end == index + 1 and self._heads_stories(index):
            return
        if story := form(self._nodes[index], self._nodes[index + 1 : end], self._convert):
            for n in inside:
                del self.stories[n]
            self.stories[index] = (story,)
            self.extents[index] = end

    def _takes_lists(self, index: int, lists: Sequence[int], form: _TitleForm) -> bool:
        """Whether lists of stories below a title are the body of its own."""
        if form is title_with_source:
            return begins_with_source(self._nodes[index + 1 : index + 2])
        return form is title_with_link and not self._is_section_of(index, lists)

    def _is_section_of(self, index: int, lists: Sequence[int]) -> bool:
        """Whether a linked title right above a list of several stories names a section."""
        is_right_above = bool(lists) and lists[0] == index + 1
        return is_right_above and sum(len(self.stories[n]) for n in lists) > 1

    def _find_paragraphs(self) -> None:
        taken = self._bodies()
        found = {
            index: told
            for index, node in self._open_blocks()
            if node.type == "paragraph"
            and index not in taken
            and index not in self.stories
            and (told := paragraph_stories(node, self._convert))
        }
        self._accept_paragraphs(found)

    def _find_bold_beginnings(self) -> None:
        """Paragraphs that begin in bold, each with its source in a paragraph of its own below.

        One below a title may be the title's own story; where a section has two, they all are.
        """
        found: dict[int, Story] = {}
        sections: list[int] = [0]
        last: tuple[int, Story] | None = None
        for index, node in self._open_blocks():
            if is_boundary(node) or index in self.stories:
                last = None
                sections.append(0)
            elif last and (address := source_in(node)):
                found[last[0]] = replace(last[1], address=address)
                sections[-1] += 1
                last = None
            elif node.type == "paragraph" and (story := bold_beginning(node, self._convert)):
                last = (index, story)
        if max(sections) > 1:
            self.stories |= {index: (story,) for index, story in found.items()}

    def _accept_paragraphs(self, found: Mapping[int, Found]) -> None:
        """A form counts when the post uses it twice; a number and a link tell enough by themselves.

        Numbered paragraphs without a link need a sign more: bold titles, or others with a link.
        """
        forms = Counter[Form]()
        for told in found.values():
            forms[told.form] += len(told.stories)
        numbered = [told for told in found.values() if told.form is Form.NUMBERED]
        has_links = any(map(_is_linked, numbered))
        for index, told in found.items():
            is_numbered, is_linked = told.form is Form.NUMBERED, _is_linked(told)
            is_used = forms[told.form] > 1 or (is_numbered and is_linked)
            if is_used and (not is_numbered or is_linked or has_links or self._is_bold(index)):
                self.stories[index] = told.stories

    def _is_bold(self, index: int) -> bool:
        line = lines_of(inline_nodes(self._nodes[index]))[0]
        return any(node.type == "strong" for node in line[:2])

    def _drop_lists_in_bodies(self) -> None:
        """A list that a paragraph's story announces, or that follows it at once, is its body."""
        told_by: int | None = None
        for index, node in enumerate(self._nodes):
            if node.type == "paragraph" and index in self.stories and index not in self.extents:
                told_by = index
            elif is_boundary(node) or (index in self.stories and node.type not in _LISTS):
                told_by = None
            elif index in self.stories and told_by is not None:
                before = self._nodes[index - 1]
                is_announced = words_of(before).rstrip().endswith((":", "："))
                is_next = told_by == index - 1 and number_before(inline_nodes(before))
                if before.type == "paragraph" and (is_announced or is_next):
                    del self.stories[index]


def _is_linked(told: Found) -> bool:
    return all(story.address for story in told.stories)
