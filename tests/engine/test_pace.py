"""A lane takes as many deliveries as its account sends in half a second."""

from __future__ import annotations

from distributor.engine.pace import Pace


def learned(*, a_second: float) -> Pace:
    """After many chunks at this speed."""
    pace = Pace()
    for _ in range(20):
        pace.learn("relay", 100, 100 / a_second)
    return pace


def test_a_lane_begins_with_few() -> None:
    assert Pace().chunk_size("relay") == 25


def test_a_lane_takes_what_it_sends_in_half_a_second() -> None:
    assert learned(a_second=200).chunk_size("relay") == 100


def test_a_slow_platform_still_gets_25_at_a_time() -> None:
    assert learned(a_second=1).chunk_size("relay") == 25


def test_even_the_fastest_platform_gets_no_more_than_500() -> None:
    assert learned(a_second=100_000).chunk_size("relay") == 500


def test_one_odd_chunk_does_not_decide_alone() -> None:
    pace = learned(a_second=200)
    pace.learn("relay", 100, 100)

    assert 25 < pace.chunk_size("relay") < 100


def test_it_gets_slower_when_the_platform_does() -> None:
    pace = learned(a_second=1000)
    for _ in range(20):
        pace.learn("relay", 100, 100)

    assert pace.chunk_size("relay") == 25


def test_accounts_are_learned_apart() -> None:
    assert learned(a_second=1000).chunk_size("bot") == 25


def test_a_chunk_of_nobody_teaches_nothing() -> None:
    pace = learned(a_second=200)
    for _ in range(20):
        pace.learn("relay", 0, 0.1)

    assert pace.chunk_size("relay") == 100
