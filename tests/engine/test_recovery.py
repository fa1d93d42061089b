"""What lost workers had done is found out from their journals."""

from __future__ import annotations

import subprocess
import sys

import pytest

from distributor.engine import journal, recovery
from distributor.engine.journal import Journal
from distributor.ledger import batches, deliveries
from distributor.ledger.answers import Answer
from distributor.ledger.attempts import Attempt
from distributor.ledger.batches import Claim
from distributor.ledger.deliveries import Change
from distributor.ledger.states import DeliveryState
from tests.support.service import Service

READERS = ("a@readers.example", "b@readers.example", "c@readers.example")


class Lost:
    """A worker that took three deliveries, sent one, began the second, and was killed."""

    def __init__(self, shop: Service, worker: str) -> None:
        self.shop = shop
        shop.subscribe("email", *READERS)
        self.send_id = shop.start()
        shop.plan(self.send_id)
        (batch,) = shop.batches(self.send_id)
        context = shop.context
        with shop.ledger.write() as connection:
            claimed = batches.claim(
                connection, batch.id, worker=worker, at=shop.clock(), lease=context.leases.lease
            )
            assert claimed is not None
            self.claim: Claim = claimed
            due = deliveries.due(connection, claimed, at=shop.clock(), limit=10)
            self.ids = [one.id for one in due]
            deliveries.take(connection, claimed, self.ids, shop.clock())
        written = Journal(context.journals, claimed.token, worker=worker, batch_id=batch.id)
        written.begin(self.ids[0])
        written.end(self._sent(self.ids[0]))
        written.begin(self.ids[1])
        written.abandon()

    def _sent(self, delivery_id: int) -> Answer:
        attempt = Attempt(
            delivery_id, 1, 1, self.shop.clock(), DeliveryState.SENT, "ok", "yes", "<1>", "w", 2
        )
        return Answer(1, READERS[0], attempt, Change(DeliveryState.SENT, 1))

    @property
    def states(self) -> dict[DeliveryState, int]:
        return dict(self.shop.books(self.send_id).counts)


def ended_process() -> str:
    tell = "from distributor.engine import identity; print(identity.of_this_process())"
    told = subprocess.run([sys.executable, "-c", tell], capture_output=True, text=True, check=True)
    return told.stdout.strip()


@pytest.fixture
def lost(shop_on_each: Service) -> Lost:
    return Lost(shop_on_each, ended_process())


def test_only_the_message_on_its_way_is_in_doubt(lost: Lost) -> None:
    assert recovery.take_over_from_the_dead(lost.shop.context) == 1

    doubtful = lost.states.get(DeliveryState.UNKNOWN, 0) + lost.states.get(
        DeliveryState.RETRYING, 0
    )
    assert (doubtful, lost.states[DeliveryState.SENT], lost.states[DeliveryState.QUEUED]) == (
        1,
        1,
        1,
    )


def test_the_journal_is_gone_once_it_is_in_the_ledger(lost: Lost) -> None:
    recovery.take_over_from_the_dead(lost.shop.context)

    assert list(journal.tokens(lost.shop.context.journals)) == []


def test_taking_over_twice_changes_nothing(lost: Lost) -> None:
    recovery.take_over_from_the_dead(lost.shop.context)
    before = lost.states

    assert recovery.take_over_from_the_dead(lost.shop.context) == 0
    assert lost.states == before


def test_a_machine_without_the_journal_is_corrected_by_the_one_that_has_it(lost: Lost) -> None:
    kept = next(lost.shop.context.journals.iterdir())
    content = kept.read_bytes()
    kept.unlink()
    recovery.take_over_from_the_dead(lost.shop.context)
    assert DeliveryState.SENT not in lost.states
    kept.write_bytes(content)

    assert recovery.hear_late_evidence(lost.shop.context) == 1

    assert lost.states[DeliveryState.SENT] == 1
    assert list(journal.tokens(lost.shop.context.journals)) == []
