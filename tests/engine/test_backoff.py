"""How long a delivery waits before its next attempt."""

from __future__ import annotations

import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from distributor.engine import backoff

ATTEMPTS = st.integers(min_value=1, max_value=10_000)
SECONDS = st.floats(min_value=0.001, max_value=100_000)
#: `timedelta` counts whole microseconds.
ROUNDING = timedelta(microseconds=1)


@given(attempt=ATTEMPTS, base=SECONDS, cap=SECONDS, chance=st.integers(0, 1000))
def test_a_wait_is_between_half_and_all_of_the_doubled_base_below_the_cap(
    attempt: int, base: float, cap: float, chance: int
) -> None:
    random.seed(chance)
    wait = backoff.delay(attempt, base_seconds=base, cap_seconds=cap, retry_after=None)
    ceiling = min(cap, base * 2 ** min(attempt - 1, 60))
    at_least, at_most = timedelta(seconds=ceiling / 2), timedelta(seconds=ceiling)
    assert at_least - ROUNDING <= wait <= at_most + ROUNDING


@given(attempt=ATTEMPTS, base=SECONDS, cap=SECONDS, wish=SECONDS)
def test_a_wait_is_never_shorter_than_the_platform_asks_for(
    attempt: int, base: float, cap: float, wish: float
) -> None:
    wait = backoff.delay(attempt, base_seconds=base, cap_seconds=cap, retry_after=wish)
    assert wait >= timedelta(seconds=wish) - ROUNDING


@given(attempt=ATTEMPTS, wish=SECONDS)
def test_a_wish_beyond_the_cap_is_lengthened_by_a_tenth_at_most(attempt: int, wish: float) -> None:
    wait = backoff.delay(attempt, base_seconds=0.001, cap_seconds=0.001, retry_after=wish)
    assert wait <= timedelta(seconds=wish * 1.1 + 0.001) + ROUNDING


def test_waits_grow_from_attempt_to_attempt_up_to_the_cap() -> None:
    longest = [_longest_of_many(attempt) for attempt in (1, 3, 5, 12)]
    assert longest == sorted(longest)
    assert longest[0] <= timedelta(seconds=2)
    assert timedelta(seconds=30) < longest[-1] <= timedelta(seconds=60)


def test_waits_differ_so_that_not_everybody_comes_back_at_once() -> None:
    waits = {
        backoff.delay(3, base_seconds=60, cap_seconds=3600, retry_after=wish)
        for wish in (None, 300)
        for _ in range(20)
    }
    assert len(waits) > 30


def _longest_of_many(attempt: int) -> timedelta:
    return max(
        backoff.delay(attempt, base_seconds=2, cap_seconds=60, retry_after=None) for _ in range(100)
    )
