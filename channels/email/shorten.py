"""Shortens an edition until its HTML is small enough that Gmail shows all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from distributor.digest.model import Digest, Item


@dataclass(frozen=True, slots=True)
class Shortened:
    """An edition as the email's HTML shows it; the text and the web edition have all of it."""

    digest: Digest
    #: Stories after those of `digest` that are titles in a list.
    listed: tuple[Item, ...] = ()
    #: How many stories at the end are not there at all.
    left_out: int = 0
    #: Prose before or after the stories ends early or is missing.
    cuts_prose: bool = False

    @property
    def is_whole(self) -> bool:
        return not (self.more or self.cuts_prose)

    @property
    def more(self) -> int:
        """How many stories are not there in full."""
        return len(self.listed) + self.left_out


def shorten(digest: Digest, fits: Callable[[Shortened], bool]) -> Shortened:
    """As much of `digest` as fits: all titles before more stories in full, and those before prose.

    For an edition that does not fit as it is. What is returned may still not fit when a single
    paragraph is too long.
    """
    stories, paragraphs = len(digest.items), len(digest.intro)
    return (
        _largest(stories, lambda full: _with_list(digest, full, stories), fits)
        or _largest(stories, lambda titles: _with_list(digest, 0, titles), fits)
        or _largest(paragraphs, lambda keep: _less_prose(digest, keep), fits)
        or _less_prose(digest, min(1, paragraphs))
    )


def _largest(
    most: int, make: Callable[[int], Shortened], fits: Callable[[Shortened], bool]
) -> Shortened | None:
    """What `make` gives for the largest number up to `most` that fits; None when none does."""
    best = make(0)
    # First, because it is the smallest and `fits` takes long for a large one.
    if not fits(best):
        return None
    low, high = 1, most
    while low <= high:
        middle = (low + high) // 2
        candidate = make(middle)
        if fits(candidate):
            best, low = candidate, middle + 1
        else:
            high = middle - 1
    return best


def _with_list(digest: Digest, full: int, titles: int) -> Shortened:
    """The first `full` stories whole, and the others up to number `titles` as titles."""
    return Shortened(
        replace(digest, items=digest.items[:full]),
        listed=digest.items[full:titles],
        left_out=len(digest.items) - titles,
    )


def _less_prose(digest: Digest, keep: int) -> Shortened:
    less = replace(digest, intro=digest.intro[:keep], items=(), commentary=())
    return Shortened(less, left_out=len(digest.items), cuts_prose=True)
