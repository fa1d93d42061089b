"""Cuts a fragment that is too long for one message where a reader would pause."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence

import regex

from channels.base import RenderError
from channels.telegram.autolink import WORD_JOINER
from channels.telegram.styled import Fragment

_CLOSING = "”’」』）)】》〉\"'"
_OPENING = "“‘「『（(【《〈"
#: Where to cut, from the best: lines, sentences, clauses, words. Closing quotes stay left.
_PAUSES = (
    regex.compile(r"\n+"),
    regex.compile(rf"(?:[。！？；…]+|[.!?;](?=[{_CLOSING}]*\s))[{_CLOSING}]*\s*"),
    regex.compile(rf"(?:[，、：]|[,:](?=\s))[{_CLOSING}]*\s*"),
    regex.compile(r"\s+"),
)
_GRAPHEME = regex.compile(r"\X")
#: A cut may be so far from an even division, as a share of it, to be at a better place.
_TOLERANCE = 0.4


def cut(fragment: Fragment, fits: Callable[[Fragment], bool]) -> tuple[Fragment, ...]:
    """`fragment` in pieces of about equal length that all fit.

    Links and code spans are cut only when one alone is too long for a message. Raises
    `RenderError` when not even one character fits.
    """
    pieces: list[Fragment] = []
    rest = fragment
    while not fits(rest):
        end = _cut_point(rest, fits)
        pieces.append(rest.slice(0, end))
        rest = rest.slice(end, len(rest.text))
    return tuple(piece for piece in (*pieces, rest) if piece.runs)


def _cut_point(fragment: Fragment, fits: Callable[[Fragment], bool]) -> int:
    text = fragment.text
    graphemes = [match.end() for match in _GRAPHEME.finditer(text)]
    longest = _longest_prefix(fragment, graphemes, fits)
    pieces = -(-len(text) // longest)
    target = len(text) / pieces
    lowest, highest = target * (1 - _TOLERANCE), min(longest, target * (1 + _TOLERANCE))
    allowed = set(graphemes) - _inside_atoms(fragment)
    for candidates in _candidates(text, allowed):
        near = [place for place in candidates if lowest <= place <= highest]
        if near:
            return min(near, key=lambda place: abs(place - target))
    return max((place for place in allowed if place <= longest), default=longest)


def _longest_prefix(
    fragment: Fragment, graphemes: Sequence[int], fits: Callable[[Fragment], bool]
) -> int:
    def too_long(end: int) -> bool:
        return not fits(fragment.slice(0, end))

    count = bisect_right(graphemes, False, key=too_long)
    if count == 0:
        raise RenderError(
            "a headline or title leaves no room for text in a Telegram message: shorten it"
        )
    return graphemes[count - 1]


def _inside_atoms(fragment: Fragment) -> set[int]:
    """Offsets within links and code spans."""
    inside: set[int] = set()
    offset = 0
    for run in fragment.runs:
        if run.is_atomic:
            inside.update(range(offset + 1, offset + len(run.text)))
        offset += len(run.text)
    return inside


def _candidates(text: str, allowed: set[int]) -> Iterable[list[int]]:
    """Places to cut, the best kind first."""
    for pause in _PAUSES:
        yield [match.end() for match in pause.finditer(text) if match.end() in allowed]
    yield [place for place in allowed if _may_part(text, place)]


def _may_part(text: str, place: int) -> bool:
    """Whether no line would begin with a closing mark or end with an opening one."""
    before, after = text[place - 1], text[place : place + 1]
    marks = f"{_CLOSING}。！？；…，、：{WORD_JOINER}"
    return before not in _OPENING + WORD_JOINER and after not in marks
