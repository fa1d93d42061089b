"""Leases are renewed while a batch is worked on, and run out when nobody does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from distributor.engine.leases import LeaseKeeper
from distributor.ledger import batches
from distributor.ledger.batches import Claim
from tests.support.service import Service
from tests.support.waiting import eventually

LEASE = timedelta(seconds=0.8)


@pytest.fixture
def keeper(shop: Service) -> LeaseKeeper:
    """It runs in real time, unlike the rest of the shop."""
    return LeaseKeeper(shop.ledger, LEASE, lambda: datetime.now(UTC))


@pytest.fixture
def claim(shop: Service) -> Claim:
    shop.subscribe("email", "reader@example.org")
    (batch,) = shop.batches(shop.start_and_plan())
    claim = claim_now(shop, batch.id)
    assert claim is not None
    return claim


def claim_now(shop: Service, batch_id: int) -> Claim | None:
    with shop.ledger.write() as connection:
        return batches.claim(
            connection, batch_id, worker="worker", at=datetime.now(UTC), lease=LEASE
        )


def leased_until(shop: Service, claim: Claim) -> datetime:
    (batch,) = shop.batches(claim.send_id)
    until: datetime = batch.leased_until
    return until


def test_a_lease_outlasts_its_length_while_the_batch_is_worked_on(
    shop: Service, keeper: LeaseKeeper, claim: Claim
) -> None:
    granted = leased_until(shop, claim)
    with keeper.keep(claim.token, datetime.now(UTC)):
        eventually(lambda: leased_until(shop, claim) > granted + LEASE)


def test_a_lease_runs_out_when_the_work_has_ended(
    shop: Service, keeper: LeaseKeeper, claim: Claim
) -> None:
    with keeper.keep(claim.token, datetime.now(UTC)):
        pass
    assert eventually(lambda: claim_now(shop, claim.batch_id))


def test_a_lease_that_was_lost_to_another_is_not_taken_back(
    shop: Service, keeper: LeaseKeeper, claim: Claim
) -> None:
    other = eventually(lambda: claim_now(shop, claim.batch_id))
    granted = leased_until(shop, claim)
    with keeper.keep(claim.token, datetime.now(UTC)):
        eventually(lambda: datetime.now(UTC) > granted)
    (batch,) = shop.batches(claim.send_id)
    assert (batch.lease_token, batch.leased_until) == (other.token, granted)


def test_renewing_goes_on_after_the_ledger_failed_once(
    shop: Service, keeper: LeaseKeeper, claim: Claim, caplog: pytest.LogCaptureFixture
) -> None:
    granted = leased_until(shop, claim)
    failures = iter([Exception("disk I/O error")])

    def fail_once(_connection: Any, _cursor: Any, sql: str, *_details: Any) -> None:
        if sql.startswith("UPDATE batches") and (failure := next(failures, None)):
            raise sa.exc.OperationalError(sql, None, failure)

    sa.event.listen(shop.ledger.engine, "before_cursor_execute", fail_once)
    with keeper.keep(claim.token, datetime.now(UTC)):
        eventually(lambda: leased_until(shop, claim) > granted)
    assert "leases could not be renewed" in caplog.text


def test_a_holder_stops_trusting_its_lease_before_another_can_have_it(
    shop: Service, claim: Claim
) -> None:
    lease = timedelta(hours=8)
    keeper = LeaseKeeper(shop.ledger, lease, shop.clock)
    with keeper.keep(claim.token, shop.clock()):
        shop.clock.advance(hours=6.9)
        assert keeper.is_sure(claim.token)
        shop.clock.advance(hours=0.2)
        assert not keeper.is_sure(claim.token)
