"""What lost workers had done is found out from their journals."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from distributor.engine import identity, journal, recovery
from distributor.engine.journal import Journal
from distributor.ledger import answers, batches, deliveries
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
        self.sent = self._sent(self.ids[0])
        written.end(self.sent)
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


ELSEWHERE = "another-container/0/1/1"


@pytest.fixture
def lost(shop_on_each: Service) -> Lost:
    return Lost(shop_on_each, ended_process())


def without_journal(lost: Lost) -> tuple[Path, bytes]:
    """Take the journal away, as it is for another machine; returns what puts it back."""
    kept = next(lost.shop.context.journals.iterdir())
    content = kept.read_bytes()
    kept.unlink()
    return kept, content


def test_only_the_message_on_its_way_is_in_doubt(lost: Lost) -> None:
    assert recovery.recover(lost.shop.context) == 1

    assert lost.states == {
        DeliveryState.SENT: 1,
        DeliveryState.RETRYING: 1,
        DeliveryState.QUEUED: 1,
    }


def test_all_that_was_not_answered_is_in_doubt_when_the_machine_itself_was_lost(lost: Lost) -> None:
    """Its disk may lack the journal's last lines."""
    (kept,) = lost.shop.context.journals.iterdir()
    earlier = kept.read_text().replace(identity.boot(), "an earlier boot")
    kept.write_text(earlier)

    recovery.recover(lost.shop.context)

    assert lost.states == {DeliveryState.SENT: 1, DeliveryState.RETRYING: 2}


def test_a_journal_that_cannot_be_read_does_not_keep_others_from_being_heard(lost: Lost) -> None:
    (lost.shop.context.journals / "0.journal").mkdir()

    assert recovery.recover(lost.shop.context) == 1


def test_the_journal_is_gone_once_it_is_in_the_ledger(lost: Lost) -> None:
    recovery.recover(lost.shop.context)

    assert list(journal.tokens(lost.shop.context.journals)) == []


def test_recovering_twice_changes_nothing(lost: Lost) -> None:
    recovery.recover(lost.shop.context)
    before = lost.states

    assert recovery.recover(lost.shop.context) == 0
    assert lost.states == before


def test_a_worker_in_another_container_is_lost_when_it_left_its_journal(
    shop_on_each: Service,
) -> None:
    """Its process cannot be seen from here, but the lock on its journal can."""
    lost = Lost(shop_on_each, ELSEWHERE)

    assert recovery.recover(lost.shop.context) == 1
    assert lost.states[DeliveryState.SENT] == 1


def test_the_batch_of_a_worker_that_lives_in_another_container_stays_with_it(
    shop_on_each: Service,
) -> None:
    lost = Lost(shop_on_each, ELSEWHERE)
    before = lost.states
    with writing(lost):
        assert recovery.recover(lost.shop.context) == 0
    assert lost.states == before


def test_the_batch_of_a_living_process_stays_with_it(shop_on_each: Service) -> None:
    lost = Lost(shop_on_each, identity.of_this_process())
    without_journal(lost)

    assert recovery.recover(lost.shop.context) == 0


def test_a_machine_without_the_journal_is_corrected_by_the_one_that_has_it(lost: Lost) -> None:
    kept, content = without_journal(lost)
    recovery.recover(lost.shop.context)
    assert DeliveryState.SENT not in lost.states
    kept.write_bytes(content)

    assert recovery.recover(lost.shop.context) == 0

    assert lost.states[DeliveryState.SENT] == 1
    assert list(journal.tokens(lost.shop.context.journals)) == []


def test_a_late_journal_adds_nothing_to_an_answer_that_the_ledger_has(lost: Lost) -> None:
    with lost.shop.ledger.write() as connection:
        answers.record(connection, lost.claim, [lost.sent])
    kept, content = without_journal(lost)
    recovery.recover(lost.shop.context)
    kept.write_bytes(content)

    recovery.recover(lost.shop.context)

    assert [entry.code for entry in lost.shop.log(lost.send_id)].count("ok") == 1


def test_a_worker_that_was_taken_for_lost_tells_by_itself_while_it_lives(lost: Lost) -> None:
    kept, content = without_journal(lost)
    recovery.recover(lost.shop.context)
    kept.write_bytes(content)

    with writing(lost):
        recovery.recover(lost.shop.context)

    assert DeliveryState.SENT not in lost.states
    assert kept.exists()


def test_processes_that_recover_at_once_log_each_answer_once(lost: Lost) -> None:
    kept, content = without_journal(lost)
    recovery.recover(lost.shop.context)
    kept.write_bytes(content)
    contexts = [lost.shop.another_process().context for _ in range(6)]

    with ThreadPoolExecutor(len(contexts)) as at_once:
        list(at_once.map(recovery.recover, contexts))

    answered = [one for one in lost.shop.log(lost.send_id) if one.code == "ok"]
    assert len(answered) == 1


@contextmanager
def writing(lost: Lost) -> Iterator[None]:
    """While somebody writes the journal of the claim."""
    context = lost.shop.context
    written = Journal(
        context.journals, lost.claim.token, worker=ELSEWHERE, batch_id=lost.claim.batch_id
    )
    try:
        yield
    finally:
        written.abandon()
