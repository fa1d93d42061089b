"""Shortens an edition until its HTML is small enough that Gmail shows all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from distributor.digest.model import Digest


@dataclass(frozen=True, slots=True)
class Shortened:
    """An edition as the email's HTML shows it; the text and the web edition have all of it."""

    digest: Digest
    #: Stories at the end that are headlines only.
    headlines_only: int = 0
    #: Stories at the end that are not there at all.
    left_out: int = 0
    #: Prose before or after the stories ends early or is missing.
    cuts_prose: bool = False

    @property
    def is_whole(self) -> bool:
        return not (self.headlines_only or self.left_out or self.cuts_prose)


def shorten(digest: Digest, fits: Callable[[Shortened], bool]) -> Shortened:
    """As much of `digest` as fits: the last stories are headlines, or left out, or prose is cut.

    For an edition that does not fit as it is. What is returned may still not fit when a single
    paragraph is too long.
    """
    return (
        _largest(len(digest.items), lambda keep: _headlines(digest, keep), fits)
        or _largest(len(digest.items), lambda keep: _fewer(digest, keep), fits)
        or _largest(len(digest.intro), lambda keep: _less_prose(digest, keep), fits)
        or _less_prose(digest, min(1, len(digest.intro)))
    )


def _largest(
    most: int, make: Callable[[int], Shortened], fits: Callable[[Shortened], bool]
) -> Shortened | None:
    """What `make` gives for the largest number up to `most` that fits; None when none does."""
    best, low, high = None, 0, most
    while low <= high:
        middle = (low + high) // 2
        candidate = make(middle)
        if fits(candidate):
            best, low = candidate, middle + 1
        else:
            high = middle - 1
    return best


def _headlines(digest: Digest, keep: int) -> Shortened:
    rest = tuple(replace(item, body=()) for item in digest.items[keep:])
    items = digest.items[:keep] + rest
    return Shortened(replace(digest, items=items), headlines_only=len(rest))


def _fewer(digest: Digest, keep: int) -> Shortened:
    if keep == 0:
        return _less_prose(digest, len(digest.intro))
    return Shortened(replace(digest, items=digest.items[:keep]), left_out=len(digest.items) - keep)


def _less_prose(digest: Digest, keep: int) -> Shortened:
    less = replace(digest, intro=digest.intro[:keep], items=(), commentary=())
    return Shortened(less, left_out=len(digest.items), cuts_prose=True)
