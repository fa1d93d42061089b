"""A courier that is stopped, paused, overtaken or left without its ledger loses nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from distributor.engine import answer_book, courier
from distributor.ledger.database import Ledger
from distributor.ledger.states import SendState
from distributor.operations import steering
from tests.engine.conftest import elsewhere
from tests.support.service import Meanwhile, Service, edition

READERS = [f"reader-{number}@example.org" for number in range(6)]


def test_a_worker_that_is_told_to_stop_hands_its_batch_back_with_nothing_lost(
    shop_on_each: Service,
) -> None:
    shop = shop_on_each
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    stopping = shop.context.stopping
    elsewhere(shop, Meanwhile(3, stopping.set)).deliver(send_id)
    (batch,) = shop.batches(send_id)
    assert shop.counts(send_id) == {"sent": 3, "queued": 3}
    assert (batch.lease_token, batch.due_at) == (None, shop.clock())
    stopping.clear()
    shop.deliver(send_id)
    assert shop.copies("smtp") == dict.fromkeys(READERS, 1)
    assert shop.counts(send_id) == {"sent": len(READERS)}


@pytest.mark.usefixtures("always_in_sync")
def test_a_pause_between_two_parts_keeps_every_other_recipient_from_being_begun(
    shop_on_each: Service,
) -> None:
    shop = shop_on_each
    chats = [str(720185614 + number) for number in range(4)]
    shop.subscribe("telegram", *chats)
    send_id = shop.start_and_plan(edition(items=10, words=550))
    pause = Meanwhile(1, lambda: shop.move(send_id, SendState.PAUSED))
    elsewhere(shop, pause).deliver(send_id)
    assert shop.copies("telegram") == {chats[0]: 1}
    assert shop.counts(send_id) == {"queued": len(chats)}


@pytest.mark.usefixtures("always_in_sync")
def test_a_pause_stops_before_the_next_message_and_the_send_goes_on_from_there(
    shop_on_each: Service,
) -> None:
    shop = shop_on_each
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    pause = Meanwhile(3, lambda: shop.move(send_id, SendState.PAUSED))
    elsewhere(shop, pause).deliver(send_id)
    assert shop.counts(send_id) == {"sent": 3, "queued": 3}
    assert len(shop.platforms.received("smtp")) == 3
    shop.move(send_id, SendState.SENDING)
    shop.deliver(send_id)
    assert shop.copies("smtp") == dict.fromkeys(READERS, 1)


@pytest.mark.usefixtures("always_in_sync")
def test_of_a_send_that_is_canceled_meanwhile_everything_ends(shop_on_each: Service) -> None:
    shop = shop_on_each
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    cancel = Meanwhile(3, lambda: steering.cancel(shop.context, send_id))
    elsewhere(shop, cancel).deliver(send_id)
    shop.sweep()
    assert shop.counts(send_id) == {"sent": 3, "canceled": 3}
    assert len(shop.platforms.received("smtp")) == 3
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
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    other = elsewhere(shop)

    def the_batch_goes_to_another() -> None:
        shop.clock.advance(seconds=shop.settings.sending.lease_seconds + 1)
        other.deliver(send_id)

    elsewhere(shop, Meanwhile(3, the_batch_goes_to_another)).deliver(send_id)
    twice = [address for address, copies in shop.copies("smtp").items() if copies > 1]
    assert twice == [READERS[2]], "only the message in flight goes out again"
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


def test_answers_are_logged_once_though_the_reply_to_their_commit_was_lost(
    shop_on_each: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_book, "_SYNC_SECONDS", 3600)
    shop = shop_on_each
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    (batch,) = shop.batches(send_id)
    with commit_unanswered(shop.ledger, after="INSERT INTO attempts"):
        courier.deliver_batch(shop.context, batch.id)
    assert shop.counts(send_id) == {"sent": len(READERS)}
    assert len(shop.log(send_id)) == len(READERS)


@contextmanager
def commit_unanswered(ledger: Ledger, *, after: str) -> Iterator[None]:
    """The first transaction with such a statement is committed, and the connection lost then."""
    has_it = was_lost = False

    def note(_connection: Any, _cursor: Any, sql: str, *_details: Any) -> None:
        nonlocal has_it
        has_it = has_it or sql.startswith(after)

    write = type(ledger).write

    @contextmanager
    def unanswered(this: Ledger) -> Iterator[sa.Connection]:
        nonlocal was_lost
        with write(this) as connection:
            yield connection
        if has_it and not was_lost:
            was_lost = True
            raise sa.exc.OperationalError("COMMIT", None, Exception("connection lost"))

    sa.event.listen(ledger.engine, "before_cursor_execute", note)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(ledger), "write", unanswered)
            yield
    finally:
        sa.event.remove(ledger.engine, "before_cursor_execute", note)


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
