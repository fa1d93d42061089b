"""Every worker process sees to what lost workers of its machine left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from distributor.engine import caretaker
from distributor.engine.journal import Journal
from distributor.ledger import batches, deliveries
from distributor.ledger.database import Ledger
from tests.support.service import Service, service
from tests.support.waiting import eventually

READERS = [f"reader-{number}@example.org" for number in range(3)]


@pytest.fixture
def send_id(shop_on_each: Service) -> int:
    """A send that is planned and hinted at."""
    shop_on_each.subscribe("email", *READERS)
    return shop_on_each.start_and_plan()


def lose_a_worker(shop: Service, send_id: int) -> int:
    """A worker took all of the send's only batch and was killed before a message left.

    Returns the batch's id.
    """
    (batch,) = shop.batches(send_id)
    with shop.ledger.write() as connection:
        claim = batches.claim(
            connection, batch.id, worker="w/0/1/1", at=shop.clock(), lease=shop.context.leases.lease
        )
        assert claim is not None
        due = deliveries.due(connection, claim, at=shop.clock(), limit=10)
        deliveries.take(connection, claim, [one.id for one in due], shop.clock())
    Journal(shop.context.journals, claim.token, worker="w/0/1/1", batch_id=claim.batch_id).abandon()
    return claim.batch_id


def test_a_batch_that_is_freed_is_hinted_at_once_and_can_be_delivered(
    shop_on_each: Service, send_id: int
) -> None:
    shop = shop_on_each
    batch_id = lose_a_worker(shop, send_id)
    caretaker.look(shop.context, shop.hints)
    assert [due.id for due in shop.hints.due] == [batch_id]
    shop.deliver(send_id)
    assert shop.copies("smtp") == dict.fromkeys(READERS, 1)


def test_where_nobody_was_lost_nothing_is_hinted(shop_on_each: Service, send_id: int) -> None:
    caretaker.look(shop_on_each.context, shop_on_each.hints)
    assert shop_on_each.hints.due == []


def test_what_was_left_before_it_came_is_found_at_once(
    tmp_path: Path, sqlite_ledger: Ledger
) -> None:
    never_again = {
        "DISTRIBUTOR_SENDING_SWEEP_SECONDS": "60",
        "DISTRIBUTOR_SENDING_LEASE_SECONDS": "600",
    }
    with service(tmp_path, sqlite_ledger, **never_again) as shop:
        shop.subscribe("email", *READERS)
        batch_id = lose_a_worker(shop, shop.start_and_plan())
        with caretaker.on_duty(shop.context, shop.hints):
            eventually(lambda: [due.id for due in shop.hints.due] == [batch_id], within=30)


def test_it_goes_on_after_the_ledger_failed(
    tmp_path: Path, sqlite_ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    failures = iter([Exception("disk I/O error")])

    def fail_once(_connection: Any, _cursor: Any, sql: str, *_details: Any) -> None:
        if failure := next(failures, None):
            raise sa.exc.OperationalError(sql, None, failure)

    with service(tmp_path, sqlite_ledger, DISTRIBUTOR_SENDING_SWEEP_SECONDS="0.2") as shop:
        shop.subscribe("email", *READERS)
        batch_id = lose_a_worker(shop, shop.start_and_plan())
        sa.event.listen(shop.ledger.engine, "before_cursor_execute", fail_once)
        with caretaker.on_duty(shop.context, shop.hints):
            eventually(lambda: [due.id for due in shop.hints.due] == [batch_id])
    assert "lost workers could not be looked for: " in caplog.text
