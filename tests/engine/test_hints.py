"""Which batches are hinted, going by what waits in the queues; asked on both databases."""

from __future__ import annotations

import pytest

from distributor.engine import hints
from tests.support.service import Service

PATIENCE_SECONDS = 30


@pytest.fixture
def shop(shop_on_each: Service) -> Service:
    """With a send of one batch on each of two channels."""
    shop_on_each.subscribe("email", "a@example.org")
    shop_on_each.subscribe("telegram", "@a_channel")
    shop_on_each.start_and_plan()
    return shop_on_each


def hinted(shop: Service) -> list[str]:
    """Channels of the batches that one look hints."""
    shop.hints.due.clear()
    hints.hint_due(shop.context, shop.hints, PATIENCE_SECONDS)
    return sorted(batch.channel for batch in shop.hints.due)


def test_hints_do_not_pile_up_where_no_worker_takes_them(shop: Service) -> None:
    shop.hints.queued = {"email": 5000, "telegram": 3}
    assert hinted(shop) == ["telegram"]
    shop.hints.queued = {"email": 1000, "telegram": 3}
    assert hinted(shop) == ["email"]


def test_a_hint_that_left_its_queue_and_led_to_no_lease_is_given_again_within_seconds(
    shop: Service,
) -> None:
    hinted(shop)
    shop.hints.queued = {"email": 0, "telegram": 1}
    shop.clock.advance(seconds=2)
    assert hinted(shop) == []
    shop.clock.advance(seconds=4)
    assert hinted(shop) == ["email"]


def test_a_queue_that_cannot_be_measured_is_neither_long_nor_empty(shop: Service) -> None:
    assert hinted(shop) == ["email", "telegram"]
    shop.clock.advance(seconds=10)
    assert hinted(shop) == []
    shop.clock.advance(seconds=PATIENCE_SECONDS)
    assert hinted(shop) == ["email", "telegram"]


def test_not_too_many_at_once_are_taken_for_lost(
    shop: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints, "_GIVEN_AGAIN", 1)
    shop.subscribe("email", "b@example.org", to="others")
    shop.start_and_plan(to="others")
    assert hinted(shop) == ["email", "email", "telegram"]
    shop.hints.queued = {"email": 0, "telegram": 1}
    shop.clock.advance(seconds=6)
    assert hinted(shop) == ["email"]
    assert hinted(shop) == ["email"]
    assert hinted(shop) == []


def test_a_channel_whose_hints_all_seem_lost_leaves_the_others_their_share(
    shop: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints, "_GIVEN_AGAIN", 1)
    hinted(shop)
    shop.hints.queued = {"email": 0, "telegram": 0}
    shop.clock.advance(seconds=6)
    assert hinted(shop) == ["email", "telegram"]


def test_batches_that_are_not_due_have_lost_nothing(shop: Service) -> None:
    hinted(shop)
    shop.hints.queued = {"email": 0, "telegram": 0}
    shop.clock.advance(seconds=6)
    shop.platforms.misbehave("smtp", "reject", code=450, text="4.2.1 Busy")
    shop.deliver(1)
    assert shop.counts(1) == {"retrying": 1, "sent": 1}
    assert hinted(shop) == []
