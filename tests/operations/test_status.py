"""How a send stands, for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from distributor.engine.processes import beating, redis_at_hand
from distributor.ledger.states import SendState
from distributor.operations import roster, status
from distributor.operations.errors import OperationError
from tests.support.service import Service
from tests.support.waiting import eventually


def test_a_finished_send_is_over_and_balances(shop: Service) -> None:
    send_id = shop.start_and_plan()
    shop.deliver(send_id)

    now = status.of_send(shop.context, send_id)

    assert now.over
    assert now.lists == ("readers",)
    assert now.books.total.balanced
    assert now.time_left is None


def test_speed_and_time_left_follow_from_what_has_ended(shop: Service) -> None:
    shop.suppress("reader@example.org")
    send_id = shop.start_and_plan()
    shop.clock.advance(seconds=10)

    now = status.of_send(shop.context, send_id)

    assert now.rate == pytest.approx(0.1)
    assert now.time_left is not None
    assert now.time_left.total_seconds() == pytest.approx(10)


def test_a_paused_send_has_no_time_left(shop: Service) -> None:
    shop.platforms.misbehave("smtp", "reject", match="reader-0", code=450, text="4.2.1 Busy")
    shop.subscribe("email", "reader-0@example.org", "reader-1@example.org")
    send_id = shop.start_and_plan()
    shop.clock.advance(seconds=10)
    shop.deliver(send_id)
    assert status.of_send(shop.context, send_id).time_left is not None
    shop.move(send_id, SendState.PAUSED)
    assert status.of_send(shop.context, send_id).time_left is None


def test_a_send_where_nothing_has_moved_for_half_a_minute_has_no_time_left(shop: Service) -> None:
    shop.suppress("reader@example.org")
    send_id = shop.start_and_plan()
    shop.clock.advance(seconds=29)
    assert status.of_send(shop.context, send_id).time_left is not None
    shop.clock.advance(seconds=2)
    assert status.of_send(shop.context, send_id).time_left is None


def test_a_send_that_moves_has_time_left_however_old_it_is(shop: Service) -> None:
    shop.platforms.misbehave("smtp", "reject", code=450, text="4.2.1 Busy")
    send_id = shop.start_and_plan()
    shop.clock.advance(minutes=5)
    shop.deliver(send_id)
    shop.clock.advance(seconds=29)
    assert status.of_send(shop.context, send_id).time_left is not None


def test_a_send_where_nothing_has_ended_has_no_time_left(shop: Service) -> None:
    send_id = shop.start_and_plan()
    shop.clock.advance(seconds=10)

    assert status.of_send(shop.context, send_id).time_left is None


@pytest.mark.parametrize(
    ("code", "text", "retriable"), [("550", "5.1.1 no such user", 0), ("554", "5.7.0 not today", 1)]
)
def test_what_failed_can_be_tried_again_unless_the_address_is_dead(
    shop: Service, code: str, text: str, retriable: int
) -> None:
    shop.platforms.misbehave("smtp", "reject", code=code, text=text)
    send_id = shop.start_and_plan()
    shop.deliver(send_id)

    assert status.of_send(shop.context, send_id).retriable == retriable


def test_what_failed_is_grouped_by_its_reason(shop: Service) -> None:
    shop.platforms.misbehave("smtp", "reject", code="550", text="5.1.1 no such user")
    send_id = shop.start_and_plan()
    shop.deliver(send_id)

    (reason,) = status.of_send(shop.context, send_id).reasons

    assert (reason.number, reason.channel, reason.code) == (1, "email", "smtp-550-5.1.1")
    assert "no such user" in reason.reply


@pytest.mark.parametrize("state", SendState)
def test_only_a_send_that_nobody_works_on_any_more_is_over(shop: Service, state: SendState) -> None:
    send_id = shop.start()
    shop.move(send_id, state)

    over = state in (SendState.FINISHED, SendState.CANCELED, SendState.HELD)
    assert status.of_send(shop.context, send_id).over is over


def test_a_canceled_send_is_over_when_what_was_in_flight_has_ended(shop: Service) -> None:
    send_id = shop.start_and_plan()
    shop.move(send_id, SendState.CANCELED)
    assert not status.of_send(shop.context, send_id).over
    shop.sweep()
    assert status.of_send(shop.context, send_id).over


def test_json_has_the_books_of_every_channel(shop: Service) -> None:
    send_id = shop.start_and_plan()
    shop.deliver(send_id)

    said = status.of_send(shop.context, send_id).as_json()

    assert said["state"] == "finished"
    assert said["books"] == {
        "intended": 2,
        "queued": 0,
        "sending": 0,
        "retrying": 0,
        "sent": 2,
        "bounced": 0,
        "complained": 0,
        "failed": 0,
        "unknown": 0,
        "skipped": 0,
        "canceled": 0,
    }
    assert isinstance(said["channels"], dict)
    assert {name: one["sent"] for name, one in said["channels"].items()} == {
        "email": 1,
        "telegram": 1,
    }


def test_a_send_that_is_not_there_is_named(shop: Service) -> None:
    with pytest.raises(OperationError, match="there is no send 99"):
        status.of_send(shop.context, 99)


def test_the_newest_sends_come_first_and_no_more_than_asked_for(shop: Service) -> None:
    ids = [shop.start(again=True) for _ in range(3)]

    found = status.recent(shop.context, 2)

    assert [send.id for send, _ in found] == ids[:0:-1]


def test_a_send_that_nobody_works_on_says_why(shop: Service) -> None:
    now = status.of_send(shop.context, shop.start_and_plan())

    (sentence,) = status.why_idle(shop.context, now)

    assert "Redis does not answer" in sentence


def test_a_send_that_is_over_waits_for_nobody(shop: Service) -> None:
    send_id = shop.start_and_plan()
    shop.deliver(send_id)

    assert status.why_idle(shop.context, status.of_send(shop.context, send_id)) == ()


@pytest.fixture
def everybody(shop: Service) -> Iterator[Service]:
    """Every role of a send over email and Telegram is played."""
    roles = ["worker:control", "worker:email", "worker:telegram", "scheduler"]
    with redis_at_hand(shop.settings), beating(shop.settings, roles):
        eventually(lambda: set(roster.look(shop.settings).processes) == set(roles))
        yield shop


def test_a_send_that_nobody_takes_up_says_so_although_everybody_is_alive(
    everybody: Service,
) -> None:
    send_id = everybody.start_and_plan()
    assert status.why_idle(everybody.context, status.of_send(everybody.context, send_id)) == ()
    everybody.clock.advance(seconds=45)
    said = status.why_idle(everybody.context, status.of_send(everybody.context, send_id))
    assert [sentence.partition(", since")[0] for sentence in said] == [
        "Nobody takes what is due on email for 45 seconds",
        "Nobody takes what is due on telegram for 45 seconds",
    ]
    assert all("distributor doctor" in sentence for sentence in said)


def test_a_scheduled_send_that_does_not_begin_says_so(everybody: Service) -> None:
    send_id = everybody.start(at=everybody.clock() + timedelta(minutes=1))
    everybody.clock.advance(seconds=75)
    (said,) = status.why_idle(everybody.context, status.of_send(everybody.context, send_id))
    assert said.startswith("It should have begun and has not for 15 seconds, since 08:01:00 UTC")
