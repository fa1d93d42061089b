"""Which blocks of a post hold no news: links to subscribe, sources of a story, closing words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from distributor.digest.nodes import Node
from distributor.digest.titles import Titles, is_field_title
from distributor.digest.words import holds_no_news, is_commentary_label

_LISTS = {"bullet_list", "ordered_list"}
#: Ranks below every heading.
_NEXT_HEADING = 9


def blocks_without_news(nodes: Sequence[Node], titles: Titles) -> Iterator[int]:
    """The blocks below a title that announces no stories, or the editor's own words.

    A section of links to subscribe ends with the next heading or rule; the editor's words may
    have headings of their own. A field in bold is the title of the list below it.
    """
    until_rank = 0
    for index, node in enumerate(nodes):
        title = titles.at(index)
        if title and title.is_heading and (not until_rank or title.rank <= until_rank):
            has_words = is_commentary_label(title.words)
            silent = has_words or holds_no_news(title.words)
            until_rank = title.rank if has_words else _NEXT_HEADING if silent else 0
        elif node.type == "hr" and until_rank == _NEXT_HEADING:
            until_rank = 0
        is_field = node.type in _LISTS and index > 0 and is_field_title(nodes[index - 1])
        if until_rank or is_field:
            yield index
