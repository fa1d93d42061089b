"""A courier that is stopped, paused, overtaken or left without its ledger loses nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from distributor.engine import answer_book, courier
from distributor.ledger.database import Ledger
from distributor.ledger.states import SendState
from distributor.operations import steering
from tests.support.service import Service, edition
from tests.support.waiting import eventually

READERS = [f"reader-{number}@example.org" for number in range(6)]


def test_a_worker_that_is_told_to_stop_hands_its_batch_back_with_nothing_lost(
    shop_on_each: Service,
) -> None:
    shop = shop_on_each
    shop.platforms.misbehave("smtp", "slow", seconds=0.1)
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    with delivering(shop, send_id):
        eventually(lambda: shop.platforms.received("smtp"))
        shop.context.stopping.set()
    handed_back = shop.counts(send_id)
    (batch,) = shop.batches(send_id)
    assert set(handed_back) == {"sent", "queued"}
    assert (batch.lease_token, batch.due_at) == (None, shop.clock())
    shop.platforms.behave()
    shop.context.stopping.clear()
    shop.deliver(send_id)
    assert shop.copies("smtp") == dict.fromkeys(READERS, 1)
    assert shop.counts(send_id) == {"sent": len(READERS)}


def test_a_pause_between_two_parts_keeps_every_other_recipient_from_being_begun(
    shop_on_each: Service,
) -> None:
    shop = shop_on_each
    shop.platforms.misbehave("telegram", "slow", seconds=0.4)
    chats = [str(720185614 + number) for number in range(4)]
    shop.subscribe("telegram", *chats)
    send_id = shop.start_and_plan(edition(items=10, words=550))
    with delivering(shop, send_id):
        eventually(lambda: shop.platforms.received("telegram"))
        shop.move(send_id, SendState.PAUSED)
    assert set(shop.copies("telegram")) == {chats[0]}
    assert shop.counts(send_id) == {"queued": len(chats)}


def test_a_pause_stops_before_the_next_message_and_the_send_goes_on_from_there(
    shop_on_each: Service,
) -> None:
    shop = shop_on_each
    shop.platforms.misbehave("smtp", "slow", seconds=0.1)
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    with delivering(shop, send_id):
        eventually(lambda: shop.platforms.received("smtp"))
        shop.move(send_id, SendState.PAUSED)
    paused = shop.counts(send_id)
    assert set(paused) == {"sent", "queued"}
    assert len(shop.platforms.received("smtp")) == paused["sent"]
    shop.platforms.behave()
    shop.move(send_id, SendState.SENDING)
    shop.deliver(send_id)
    assert shop.copies("smtp") == dict.fromkeys(READERS, 1)


def test_of_a_send_that_is_canceled_meanwhile_everything_ends(shop_on_each: Service) -> None:
    shop = shop_on_each
    shop.platforms.misbehave("smtp", "slow", seconds=0.1)
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    with delivering(shop, send_id):
        eventually(lambda: shop.platforms.received("smtp"))
        steering.cancel(shop.context, send_id)
    shop.sweep()
    ended = shop.counts(send_id)
    assert set(ended) == {"sent", "canceled"}
    assert len(shop.platforms.received("smtp")) == ended["sent"]
    assert [batch.due_at for batch in shop.batches(send_id)] == [None]


def test_a_batch_that_takes_long_is_given_back_for_another_task(
    shop: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    monkeypatch.setattr(courier, "LONGEST_TASK_SECONDS", -1)
    shop.deliver(send_id)
    (batch,) = shop.batches(send_id)
    assert (shop.counts(send_id), batch.lease_token) == ({"queued": len(READERS)}, None)
    assert batch.due_at == shop.clock()


def test_a_paused_send_is_not_begun(shop: Service) -> None:
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    shop.move(send_id, SendState.PAUSED)
    shop.deliver(send_id)
    assert shop.platforms.received() == []


def test_a_worker_whose_lease_was_lost_stops_before_the_next_message(shop: Service) -> None:
    shop.platforms.misbehave("smtp", "slow", seconds=0.1)
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    other = shop.another_process()
    with delivering(shop, send_id):
        eventually(lambda: shop.platforms.received("smtp"))
        shop.clock.advance(seconds=shop.settings.sending.lease_seconds + 1)
        other.deliver(send_id)
    other.context.connections.close()
    twice = [address for address, copies in shop.copies("smtp").items() if copies > 1]
    assert len(twice) <= 1, "only the message in flight may go out again"
    assert set(shop.copies("smtp")) == set(READERS)
    assert shop.counts(send_id) == {"sent": len(READERS)}


@pytest.mark.parametrize("times", [1, 3])
def test_an_answer_survives_a_ledger_that_fails_while_it_is_written_down(
    shop_on_each: Service, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_book, "_SYNC_SECONDS", 3600)
    shop = shop_on_each
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    (batch,) = shop.batches(send_id)
    with failing(shop.ledger, "INSERT INTO attempts", times):
        courier.deliver_batch(shop.context, batch.id)
    assert shop.counts(send_id) == {"sent": len(READERS)}
    assert shop.copies("smtp") == dict.fromkeys(READERS, 1)


@contextmanager
def delivering(shop: Service, send_id: int) -> Iterator[None]:
    """Work on the send in another thread; ended when the block is."""
    thread = threading.Thread(target=shop.deliver, args=[send_id])
    thread.start()
    try:
        yield
    finally:
        thread.join()


@contextmanager
def failing(ledger: Ledger, statement: str, times: int) -> Iterator[None]:
    """The database refuses the first `times` statements that begin so."""
    left = times

    def refuse(_connection: Any, _cursor: Any, sql: str, *_details: Any) -> None:
        nonlocal left
        if sql.startswith(statement) and left:
            left -= 1
            raise sa.exc.OperationalError(sql, None, Exception("disk I/O error"))

    sa.event.listen(ledger.engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        sa.event.remove(ledger.engine, "before_cursor_execute", refuse)
