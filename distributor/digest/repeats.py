"""Stories that a post tells twice: in its table of contents, its highlights, or by mistake."""

from __future__ import annotations

import re
from collections.abc import Mapping

from distributor.digest.findings import Findings, quoted
from distributor.digest.plain import block_text, inline_text
from distributor.digest.story_lines import Story

#: Part of a list's stories that come again, from which on it is a summary of the others.
_SUMMARY_SHARE = 2 / 3

Groups = dict[int, tuple[Story, ...]]


def without_repeats(groups: Mapping[int, tuple[Story, ...]], findings: Findings) -> Groups:
    """`groups`, the stories of each block, with each story once, where it says the most."""
    kept = _without_summaries(groups, findings)
    first: dict[str, tuple[int, int]] = {}
    dropped: set[tuple[int, int]] = set()
    for index in sorted(kept):
        for position, story in enumerate(kept[index]):
            key, place = _identity(story), (index, position)
            if key not in first:
                first[key] = place
                continue
            findings.add("repeated-item", f"the item {_named(story)} stands here twice; sent once")
            before = first[key]
            is_fuller = _length(story) > _length(kept[before[0]][before[1]])
            dropped.add(before if is_fuller else place)
            first[key] = place if is_fuller else before
    return {
        index: rest
        for index, stories in kept.items()
        if (rest := tuple(s for n, s in enumerate(stories) if (index, n) not in dropped))
    }


def _without_summaries(groups: Mapping[int, tuple[Story, ...]], findings: Findings) -> Groups:
    """`groups` without lists whose stories nearly all stand elsewhere, with more to say."""
    where: dict[str, set[int]] = {}
    lengths: dict[int, float] = {}
    for index, stories in groups.items():
        lengths[index] = sum(map(_length, stories)) / len(stories)
        for story in stories:
            for key in _keys(story):
                where.setdefault(key, set()).add(index)
    kept = dict(groups)
    for index in sorted(groups, key=lambda n: (lengths[n], -n)):
        stories = groups[index]
        repeated = sum(
            any(other in kept and other != index for key in _keys(story) for other in where[key])
            for story in stories
        )
        if len(stories) > 1 and repeated >= len(stories) * _SUMMARY_SHARE:
            findings.add("summary", f"a list of {len(stories)} items repeats others; kept as text")
            del kept[index]
    return kept


def _keys(story: Story) -> set[str]:
    keys = {_words(story)}
    if story.address:
        keys.add(story.address.rstrip("/"))
    return keys


def _identity(story: Story) -> str:
    """Title and address: one page may be the source of several stories."""
    return f"{_words(story)} {(story.address or '').rstrip('/')}"


def _words(story: Story) -> str:
    return re.sub(r"[\W_]+", "", inline_text(story.title)).lower()


def _named(story: Story) -> str:
    return quoted(inline_text(story.title))


def _length(story: Story) -> int:
    return len(block_text(story.body))
