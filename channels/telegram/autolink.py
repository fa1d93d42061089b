"""Keeps Telegram from linking what is not a link.

In Chinese text, where words have no spaces between them, Telegram takes `Node.js和Booking.com`
for one web address and `@name` for a member of Telegram. A word joiner, which nobody sees, after
the dot or the sign prevents that.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

from channels.telegram import parser
from channels.telegram.parser import Entity
from channels.telegram.styled import Run, Style

WORD_JOINER = "\u2060"

_WRITTEN_URL = re.compile(r"https?://[!-~]+", re.IGNORECASE)
_TRAILING = ".,:;!?'\")]}"
_DOT_BEFORE_LETTER = re.compile(r"\.(?=[^\W\d_])")
_DOT = re.compile(rf"\.(?=[^\s{WORD_JOINER}])")


def guard(runs: Iterable[Run]) -> tuple[Run, ...]:
    """`runs` so that Telegram links exactly what is linked.

    A web address written out becomes a link of its own, or the Chinese text after it would
    belong to it.
    """
    guarded = _link_written_urls(tuple(runs))
    # Breaking up one bogus link may uncover another; each turn leaves fewer unguarded dots.
    while places := _places(guarded):
        guarded = _insert(guarded, places)
    return guarded


def bogus_links(runs: Iterable[Run]) -> Iterator[Entity]:
    """What Telegram would link in `runs` by itself and the author did not."""
    runs = tuple(runs)
    spans = list(_protected(runs))
    for entity in parser.autolinks("".join(run.text for run in runs)):
        overlaps = any(start < entity.end and entity.start < end for start, end in spans)
        if not overlaps and entity.kind in {"Url", "Mention", "BotCommand"}:
            yield entity


def _protected(runs: Iterable[Run]) -> Iterator[tuple[int, int]]:
    """Where Telegram adds no link: inside links and code."""
    offset = 0
    for run in runs:
        if run.url or run.style & (Style.CODE | Style.PRE):
            yield offset, offset + len(run.text)
        offset += len(run.text)


def _places(runs: tuple[Run, ...]) -> list[int]:
    """Offsets where a word joiner is needed."""
    text = "".join(run.text for run in runs)
    places = {place for link in bogus_links(runs) for place in _breaks(text, link)}
    return sorted(place for place in places if not text.startswith(WORD_JOINER, place))


def _breaks(text: str, link: Entity) -> list[int]:
    if link.kind != "Url":
        return [link.start + 1]
    word = text[link.start : link.end]
    if "://" in word:
        return []
    dots = list(_DOT_BEFORE_LETTER.finditer(word)) or list(_DOT.finditer(word))
    return [link.start + dot.end() for dot in dots]


def _insert(runs: tuple[Run, ...], places: list[int]) -> tuple[Run, ...]:
    """`runs` with a word joiner at each of `places`, which are in order."""
    joined = []
    offset = 0
    for run in runs:
        end = offset + len(run.text)
        own = places[bisect_left(places, offset) : bisect_left(places, end)]
        bounds = [0, *(place - offset for place in own), len(run.text)]
        text = WORD_JOINER.join(run.text[start:stop] for start, stop in pairwise(bounds))
        joined.append(replace(run, text=text))
        offset = end
    return tuple(joined)


def _link_written_urls(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    return tuple(piece for run in runs for piece in _link_run(run))


def _link_run(run: Run) -> Iterator[Run]:
    if run.url or run.style & (Style.CODE | Style.PRE):
        yield run
        return
    end = 0
    for match in _WRITTEN_URL.finditer(run.text):
        url = match[0].rstrip(_TRAILING)
        if parser.linkable(url):
            yield from _plain(run, end, match.start())
            end = match.start() + len(url)
            yield replace(run, text=url, url=url)
    yield from _plain(run, end, len(run.text))


def _plain(run: Run, start: int, end: int) -> Iterator[Run]:
    if start < end:
        yield replace(run, text=run.text[start:end])
