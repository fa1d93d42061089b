"""What is broken, and when, follows from the seed alone."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from distributor.drill import plan
from distributor.drill.plan import Kind

seeds = st.integers(min_value=0)
numbers = st.integers(min_value=1, max_value=60)


@given(seeds, numbers)
def test_the_same_seed_gives_the_same_blows(seed: int, kills: int) -> None:
    assert plan.draw(seed, kills) == plan.draw(seed, kills)


@given(seeds, numbers)
def test_there_are_as_many_kills_as_asked_for_and_as_many_other_troubles(
    seed: int, kills: int
) -> None:
    blows = plan.draw(seed, kills)
    assert sum(blow.kind.is_kill for blow in blows) == kills
    assert len(blows) == 2 * kills


@given(seeds, numbers)
def test_blows_fall_in_order_while_the_send_is_under_way(seed: int, kills: int) -> None:
    shares = [blow.share for blow in plan.draw(seed, kills)]
    assert all(0 < share < 1 for share in shares)
    assert all(before <= after for before, after in pairwise(shares))


@given(seeds)
def test_a_long_drill_has_every_kind_of_blow(seed: int) -> None:
    assert {blow.kind for blow in plan.draw(seed, kills=len(Kind))} == set(Kind)
