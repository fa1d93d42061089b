"""Text for a platform that counts bytes: cleaned, measured, and cut where a reader would."""

from __future__ import annotations

from collections.abc import Callable

import regex

ELLIPSIS = "…"

#: Characters that show nothing and can disturb what stands around them: controls, halves of
#: surrogate pairs (which UTF-8 cannot carry) and switches of the writing direction.
_UNWANTED = regex.compile(r"[\p{Cs}\u202A-\u202E\u2066-\u2069]|(?!\s)\p{Cc}")
_GRAPHEME = regex.compile(r"\X")
_SENTENCE_END = regex.compile(r"[。！？!?…]+[”’」』）)]*|\.[”’)]*(?=\s)|(?=\n)")
_CLAUSE_END = regex.compile(r"[，、；：]|[,;:]?\s")

#: A cut that keeps less than this share of what would fit wastes more than it reads better.
_LEAST_OF_TEXT = 0.5
#: The same for a title, which has hardly more than one sentence.
_LEAST_OF_TITLE = 0.8


def utf8_length(text: str) -> int:
    """How many bytes `text` takes on the wire."""
    return len(text.encode())


def graphemes(text: str) -> list[str]:
    """What readers take for single characters: letters with their accents, whole emoji."""
    found: list[str] = _GRAPHEME.findall(text)
    return found


def tidy(text: str) -> str:
    """`text` without unwanted characters, empty lines and repeated spaces."""
    lines = (" ".join(line.split()) for line in _UNWANTED.sub("", text).splitlines())
    return "\n".join(line for line in lines if line)


def one_line(text: str) -> str:
    """`text` tidied, on a single line."""
    return " ".join(tidy(text).split())


def shorten(
    text: str,
    limit: int,
    measure: Callable[[str], int] = utf8_length,
    least: float = _LEAST_OF_TEXT,
) -> str:
    """`text`, or its beginning and `…` when it measures more than `limit`.

    It is cut behind a sentence, else before the end of a clause or word, else between two
    graphemes: never inside a letter with its accents or an emoji of several characters.
    `least`: the share of what would fit that a cut for the sake of reading must keep.
    """
    if measure(text) <= limit:
        return text
    ends = _grapheme_ends(text, limit - measure(ELLIPSIS), measure)
    return text[: _best_cut(text, ends, least)] + ELLIPSIS


def shorten_title(text: str, limit: int, measure: Callable[[str], int] = utf8_length) -> str:
    """As `shorten`, for a title or a single line: it fills what there is more closely."""
    return shorten(text, limit, measure, _LEAST_OF_TITLE)


def _grapheme_ends(text: str, limit: int, measure: Callable[[str], int]) -> list[int]:
    """Where `text` may be cut so that what stands before measures at most `limit`."""
    ends = [0]
    used = 0
    for grapheme in graphemes(text):
        used += measure(grapheme)
        if used > limit:
            break
        ends.append(ends[-1] + len(grapheme))
    return ends


def _best_cut(text: str, ends: list[int], least: float) -> int:
    allowed = {end for end in ends if end >= ends[-1] * least}
    sentences = [m.end() for m in _SENTENCE_END.finditer(text) if m.end() in allowed]
    clauses = [m.start() for m in _CLAUSE_END.finditer(text) if m.start() in allowed]
    return max(sentences or clauses or allowed)
