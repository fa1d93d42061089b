"""Attempts of old sends are dropped, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from distributor.engine import retention
from distributor.engine.app import create_app
from distributor.engine.hints import DROP_OLD_ATTEMPTS
from distributor.ledger import batches, tables
from distributor.ledger import retention as ledger_retention
from distributor.ledger.database import Ledger
from distributor.ledger.decisions import Selection
from distributor.ledger.states import SendState
from distributor.operations import bounces, steering
from tests.channels.email.returned import LETTER
from tests.support.service import Service, service

READERS = [f"reader-{number}@example.org" for number in range(5)]


@pytest.fixture
def shop(tmp_path: Path, ledger: Ledger) -> Iterator[Service]:
    """Keeps attempts for 30 days. Every test here runs on both databases."""
    own = {"DISTRIBUTOR_RETENTION_ATTEMPTS_DAYS": "30", "DISTRIBUTOR_SENDING_BATCH_SIZE": "2"}
    with service(tmp_path, ledger, **own) as running:
        running.subscribe("email", *READERS)
        yield running


def finished(shop: Service) -> int:
    send_id = shop.start_and_plan(again=True)
    shop.deliver(send_id)
    assert shop.send(send_id).state is SendState.FINISHED
    return send_id


def attempts(shop: Service, send_id: int) -> int:
    query = (
        sa.select(sa.func.count())
        .select_from(
            tables.attempts.join(
                tables.deliveries, tables.deliveries.c.id == tables.attempts.c.delivery_id
            )
        )
        .where(tables.deliveries.c.send_id == send_id)
    )
    with shop.ledger.read() as connection:
        return connection.execute(query).scalar_one()


def drop_one_batch(shop: Service) -> int | None:
    with shop.ledger.write() as connection:
        return ledger_retention.drop_some(
            connection,
            ended_before=shop.clock() - timedelta(days=30),
            at=shop.clock(),
            limit=1,
        )


def test_attempts_go_when_their_time_is_over_and_not_before(shop: Service) -> None:
    send_id = finished(shop)
    shop.clock.advance(hours=30 * 24)
    assert retention.drop_old_attempts(shop.context) == 0

    shop.clock.advance(seconds=1)

    assert retention.drop_old_attempts(shop.context) == len(READERS)
    assert attempts(shop, send_id) == 0
    assert shop.send(send_id).attempts_dropped_at == shop.clock()


def test_books_and_last_answers_stay(shop: Service) -> None:
    send_id = finished(shop)
    before = shop.deliveries(send_id)
    shop.clock.advance(hours=31 * 24)
    retention.drop_old_attempts(shop.context)

    assert shop.deliveries(send_id) == before
    assert shop.counts(send_id) == {"sent": len(READERS)}
    assert [entry.outcome.value for entry in shop.log(send_id)] == ["sent"] * len(READERS)


def test_a_younger_send_keeps_its_attempts(shop: Service) -> None:
    old = finished(shop)
    shop.clock.advance(hours=31 * 24)
    young = finished(shop)
    retention.drop_old_attempts(shop.context)

    assert (attempts(shop, old), attempts(shop, young)) == (0, len(READERS))
    assert shop.send(young).attempts_dropped_at is None


@pytest.mark.parametrize("state", [SendState.SENDING, SendState.PAUSED])
def test_a_send_that_is_not_over_keeps_its_attempts(shop: Service, state: SendState) -> None:
    send_id = finished(shop)
    shop.move(send_id, state)
    shop.clock.advance(hours=31 * 24)

    assert retention.drop_old_attempts(shop.context) == 0
    assert attempts(shop, send_id) == len(READERS)


def test_what_a_lost_worker_left_is_settled_first(shop: Service) -> None:
    send_id = shop.start_and_plan()
    first = shop.batches(send_id)[0]
    with shop.ledger.write() as connection:
        lease = shop.context.leases.lease
        batches.claim(connection, first.id, worker="w", at=shop.clock(), lease=lease)
    shop.deliver(send_id)
    steering.cancel(shop.context, send_id)
    shop.clock.advance(hours=31 * 24)

    assert retention.drop_old_attempts(shop.context) == 0
    assert attempts(shop, send_id) == 3


def test_it_goes_on_where_it_was_interrupted(shop: Service) -> None:
    send_id = finished(shop)
    shop.clock.advance(hours=31 * 24)
    assert drop_one_batch(shop) == 2
    assert shop.send(send_id).attempts_dropped_at == shop.clock()

    assert retention.drop_old_attempts(shop.context) == 3
    assert attempts(shop, send_id) == 0
    assert drop_one_batch(shop) is None


def test_a_send_that_was_tried_again_is_dropped_again_after_its_new_end(shop: Service) -> None:
    address = READERS[0]
    shop.platforms.misbehave("smtp", "reject", match=address, code="554", text="no")
    send_id = finished(shop)
    shop.clock.advance(hours=31 * 24)
    assert drop_one_batch(shop) == 2
    shop.platforms.behave()
    steering.retry(shop.context, send_id, Selection(), operator="ann")
    shop.deliver(send_id)
    assert shop.counts(send_id) == {"sent": len(READERS)}
    assert retention.drop_old_attempts(shop.context) == 0

    shop.clock.advance(hours=31 * 24)
    retention.drop_old_attempts(shop.context)

    assert attempts(shop, send_id) == 0


def test_without_the_setting_everything_is_kept_and_nobody_looks(
    tmp_path: Path, ledger: Ledger
) -> None:
    with service(tmp_path, ledger) as shop:
        shop.subscribe("email", *READERS)
        send_id = finished(shop)
        shop.clock.advance(hours=24 * 10_000)
        assert retention.drop_old_attempts(shop.context) == 0
        assert attempts(shop, send_id) == len(READERS)
        assert DROP_OLD_ATTEMPTS not in create_app(shop.settings).conf.beat_schedule


def test_with_it_the_scheduler_ticks(shop: Service) -> None:
    assert DROP_OLD_ATTEMPTS in create_app(shop.settings).conf.beat_schedule


def test_letters_to_the_bounce_address_go_when_their_time_is_over(shop: Service) -> None:
    bounces.take_in(shop.context, LETTER)
    shop.clock.advance(hours=30 * 24)
    assert retention.drop_old_letters(shop.context) == 0

    shop.clock.advance(seconds=1)

    assert retention.drop_old_letters(shop.context) == 1
    (kept,) = bounces.latest(shop.context, 10)
    assert (kept.letter, kept.words, kept.address) == (None, "", "")
    assert bounces.take_in(shop.context, LETTER).is_known
    assert retention.drop_old_letters(shop.context) == 0
