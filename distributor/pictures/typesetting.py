"""Lines of mixed Chinese and Latin text, broken where a typesetter would.

The rules are those of "Requirements for Chinese Text Layout" (W3C clreq, sections 3.1.4 and
3.2.2): no line begins with a closing mark or ends with an opening one, words of other scripts
stay whole, and a thin space stands between Chinese and Latin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import regex

from distributor.digest.shorten import graphemes

_OPENING = r"（［｛〈《「『【〔〖“‘(\[{"
_CLOSING = r"，。、；：？！…—）］｝〉》」』】〕〗”’·～％%,.;:?!)\]}"
_CJK = r"\p{Han}\p{Hiragana}\p{Katakana}ー"
_LETTER = rf"[^\s{_CJK}{_OPENING}{_CLOSING}]"
_WORD = rf"{_LETTER}+(?:[.,:'’/?!]+{_LETTER}+)*"

#: What stays together: a word or one Chinese character, with the marks that cling to it.
_UNIT = regex.compile(rf"\s+|[{_OPENING}]*(?:{_WORD}|\X)[{_CLOSING}]*")
_SEAM = regex.compile(rf"(?<=[{_CJK}])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9%])(?=[{_CJK}])")

_HAN_OR_KANA = regex.compile(rf"[{_CJK}]")
_LATIN_APOSTROPHE = regex.compile(r"(?<=\p{Latin})’(?=\p{Latin})")
_STRAIGHT = str.maketrans("‘’“”", "''\"\"")

#: Width of a text in the unit of the page.
Measure = Callable[[str], float]


def runs(text: str) -> list[str]:
    """`text` divided where a thin space belongs: between Chinese and Latin."""
    parts: list[str] = _SEAM.split(text)
    return parts


def narrow_marks(text: str) -> str:
    """`text` with straight quotation marks and apostrophes where it is Latin.

    Chinese fonts draw the curved ones as wide as a character, which tears Latin words apart.
    """
    if _HAN_OR_KANA.search(text):
        narrowed: str = _LATIN_APOSTROPHE.sub("'", text)
        return narrowed
    return text.translate(_STRAIGHT)


def break_lines(text: str, width: float, measure: Measure) -> list[str]:
    """`text` in lines of at most `width`.

    A unit that is wider than a line on its own is broken between graphemes.
    """
    lines = [""]
    for unit in _pieces(text, width, measure):
        if measure((lines[-1] + unit).rstrip()) > width and lines[-1].strip():
            lines.append("")
        lines[-1] += unit if lines[-1] else unit.lstrip()
    return [line.rstrip() for line in lines if line.strip()]


def balanced_lines(text: str, width: float, measure: Measure) -> list[str]:
    """As few lines as `break_lines` gives, of widths as equal as the breaks allow."""
    lines = break_lines(text, width, measure)
    narrow, wide = 0.0, width
    while wide - narrow > 1:
        middle = (narrow + wide) / 2
        if len(break_lines(text, middle, measure)) > len(lines):
            narrow = middle
        else:
            wide = middle
    return break_lines(text, wide, measure)


def _pieces(text: str, width: float, measure: Measure) -> Iterator[str]:
    for unit in _UNIT.findall(text):
        if measure(unit) <= width:
            yield unit
        else:
            yield from graphemes(unit)
