"""Packs the pieces of an edition into messages of a limited size, without cutting a story.

For channels whose platform takes a few thousand bytes a message. A story stands in one message
whole, or as title and link when it is longer than a message; prose goes paragraph by paragraph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from distributor.digest.shorten import shorten, utf8_length


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that belongs into one message."""

    #: In an operator's words: `item 3`, `commentary`.
    name: str
    text: str
    #: What stands for it when `text` is longer than a message: a story's title and link. None for
    #: prose, of which the beginning is kept then.
    brief: str | None = None


@dataclass(frozen=True, slots=True)
class Packed:
    """The messages in order, and what an operator should know."""

    messages: tuple[str, ...]
    warnings: tuple[str, ...]


def pack(
    pieces: Iterable[Piece],
    limit: int,
    *,
    measure: Callable[[str], int] = utf8_length,
    between: str = "\n\n",
) -> Packed:
    """`pieces` in their order in messages that measure at most `limit`, each as full as may be."""
    warnings: list[str] = []
    fitted = [_fitted(piece, limit, measure, warnings) for piece in pieces]
    return Packed(tuple(_filled(fitted, limit, measure, between)), tuple(warnings))


def _fitted(piece: Piece, limit: int, measure: Callable[[str], int], warnings: list[str]) -> str:
    if measure(piece.text) <= limit:
        return piece.text
    if piece.brief is not None and measure(piece.brief) <= limit:
        warnings.append(f"Longer than a message, so only title and link: {piece.name}.")
        return piece.brief
    warnings.append(f"Longer than a message, so only its beginning: {piece.name}.")
    return shorten(piece.text if piece.brief is None else piece.brief, limit, measure)


def _filled(
    texts: Iterable[str], limit: int, measure: Callable[[str], int], between: str
) -> Iterator[str]:
    message = ""
    for text in texts:
        longer = f"{message}{between}{text}" if message else text
        if measure(longer) > limit:
            yield message
            longer = text
        message = longer
    if message:
        yield message
