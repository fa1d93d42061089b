"""Sliding windows, with a clock that the test turns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from distributor.sandbox.rates import SlidingWindow, first_wait


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_names_the_seconds_until_the_oldest_passage_leaves_the_window() -> None:
    clock = Clock()
    window = SlidingWindow(2, 60, clock)
    window.enter("a")
    clock.now = 20
    window.enter("a")
    clock.now = 30
    assert (window.wait("a"), window.wait("b")) == (30, 0)


def test_counts_in_no_window_when_one_refuses() -> None:
    clock = Clock()
    wide, narrow = SlidingWindow(2, 60, clock), SlidingWindow(1, 60, clock)
    assert first_wait([(wide, "a"), (narrow, "a")]) == 0
    assert first_wait([(wide, "a"), (narrow, "a")]) == 60
    assert wide.wait("a") == 0


@given(
    st.integers(1, 5),
    st.integers(1, 60),
    st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=60),
)
def test_never_lets_more_than_the_limit_pass_within_the_window(
    limit: int, seconds: int, pauses: list[float]
) -> None:
    clock = Clock()
    window = SlidingWindow(limit, seconds, clock)
    passed: list[float] = []
    for pause in pauses:
        clock.now += pause
        if first_wait([(window, "key")]) == 0:
            passed.append(clock.now)
    for at in passed:
        assert sum(at - seconds < other <= at for other in passed) <= limit
