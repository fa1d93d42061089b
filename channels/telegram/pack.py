"""Divides a row of units among messages: as few as possible, as even as possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from channels.telegram.limits import Cost


@dataclass(frozen=True, slots=True)
class Unit:
    """What is never divided any more."""

    cost: Cost
    #: How bad a message break before this unit is, in characters of unevenness.
    reluctance: int = 0


def pack(units: Sequence[Unit], budget: Cost) -> list[range]:
    """The units of each message, in order; every unit by itself must fit `budget`.

    Of all divisions into the fewest messages this is the one with the least sum of squared
    lengths and squared reluctances, which makes the lengths even.
    """
    best: list[tuple[int, int, int]] = [(0, 0, 0)]  # messages, badness, start of the last one
    for end in range(1, len(units) + 1):
        options = []
        total = Cost()
        for start in range(end - 1, -1, -1):
            total += units[start].cost
            if not total.fits(budget):
                break
            messages, badness, _ = best[start]
            own = total.characters**2 + (units[start].reluctance ** 2 if start else 0)
            options.append((messages + 1, badness + own, start))
        best.append(min(options))
    return _ranges([start for _, _, start in best])


def _ranges(starts: list[int]) -> list[range]:
    """Follows the start of each last message back to the first."""
    ranges = []
    end = len(starts) - 1
    while end:
        ranges.append(range(starts[end], end))
        end = starts[end]
    return ranges[::-1]
