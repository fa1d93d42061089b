"""What operators decide about deliveries, as the ledger sees it; on both databases."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from distributor.ledger import decisions, sends, steering, strikes, tables
from distributor.ledger.database import Ledger
from distributor.ledger.decisions import Selection
from distributor.ledger.deliveries import Change
from distributor.ledger.log import SubscriberQuery
from distributor.ledger.states import DeliveryState, SendState
from distributor.suppression import SuppressionReason
from tests.ledger.desk import (
    ALL,
    FAILED,
    FIRST_PART_SENT,
    NOW,
    RETRY,
    RETRYING,
    UNKNOWN,
    Desk,
)
from tests.ledger.scene import Scene
from tests.support.waiting import eventually


class TestTryingAgain:
    def test_what_failed_is_queued_with_its_tries_forgotten(self, desk: Desk) -> None:
        delivery_id = desk.end_next(FAILED)
        assert desk.retry() == 1
        row = desk.scene.delivery(delivery_id)
        assert (row.state, row.attempts, row.next_attempt_at) == (DeliveryState.QUEUED, 0, None)

    def test_what_did_not_fail_is_left_alone(self, desk: Desk) -> None:
        desk.end_next(Change(DeliveryState.SENT, 1))
        desk.end_next(UNKNOWN)
        desk.end_next(RETRYING)
        assert desk.retry() == 0
        assert desk.states() == ["sent", "unknown", "retrying"]

    def test_all_that_failed_is_queued_though_it_is_done_some_at_a_time(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(decisions, "_CHUNK", 1)
        for _ in range(3):
            desk.end_next(FAILED)
        assert desk.retry() == 3
        assert desk.states() == ["queued"] * 3

    def test_once_is_enough(self, desk: Desk) -> None:
        desk.end_next(FAILED)
        desk.retry()
        assert desk.retry() == 0

    def test_the_log_says_who_wanted_it_and_that_it_was_no_try(self, desk: Desk) -> None:
        delivery_id = desk.end_next(FAILED)
        desk.retry()
        note = desk.scene.attempts(delivery_id)[-1]
        assert (note.outcome, note.code, note.number) == (DeliveryState.QUEUED, "retry", 0)
        assert (note.worker, note.reply) == ("operator", "kim asked for another try")

    def test_parts_that_were_accepted_stay_accepted(self, desk: Desk) -> None:
        delivery_id = desk.begin_next()
        sent = DeliveryState.SENT
        desk.scene.record(desk.claim, delivery_id, FIRST_PART_SENT, outcome=sent)
        desk.scene.record(desk.claim, delivery_id, FAILED, part=2)
        desk.retry()
        assert desk.scene.due(desk.claim)[0].accepted_parts == 1
        assert desk.scene.attempts(delivery_id)[-1].part == 2

    def test_a_suppressed_address_stays_out_and_is_counted(self, desk: Desk) -> None:
        desk.end_next(FAILED)
        desk.end_next(FAILED)
        desk.scene.suppress("a@example.com")
        assert desk.retry() == 1
        assert desk.suppressed() == 1
        assert desk.states()[:2] == ["failed", "queued"]

    def test_the_strikes_of_its_first_tries_are_taken_back(self, desk: Desk) -> None:
        delivery_id = desk.end_next(FAILED)
        address = desk.scene.delivery(delivery_id).address
        full = SuppressionReason.MAILBOX_FULL
        with desk.scene.ledger.write() as c:
            strikes.add(c, "email", address, full, send_id=desk.send_id, at=NOW)
        desk.retry()
        with desk.scene.ledger.read() as c:
            assert not c.execute(sa.select(tables.strikes)).all()

    def test_only_the_codes_that_were_named(self, desk: Desk) -> None:
        for code in ("451", "550", "452"):
            desk.end_next(FAILED, code=code)
        assert desk.retry(Selection(codes=("451", "452"))) == 2
        assert desk.states() == ["queued", "failed", "queued"]

    def test_only_the_channels_that_were_named(self, desk: Desk) -> None:
        desk.end_next(FAILED)
        assert desk.retry(Selection(channels=("telegram",))) == 0
        assert desk.retry(Selection(channels=("telegram", "email"))) == 1

    def test_only_the_subscriber_that_was_named(self, desk: Desk) -> None:
        for _ in range(3):
            desk.end_next(FAILED)
        third = desk.scene.deliveries(desk.send_id)[2].subscriber_id
        assert desk.retry(Selection(subscriber=SubscriberQuery("a@example.com"))) == 1
        assert desk.retry(Selection(subscriber=SubscriberQuery(str(third)))) == 1
        assert desk.states() == ["queued", "failed", "queued"]

    def test_as_many_as_there_are(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(decisions, "_CHUNK", 1)
        for _ in range(3):
            desk.end_next(FAILED)
        assert desk.retry() == 3
        assert desk.states() == ["queued"] * 3


class TestResolvingAsSent:
    def in_doubt(self, desk: Desk, *, part: int) -> int:
        """A delivery of two parts that is unknown since its part number `part`."""
        delivery_id = desk.begin_next()
        if part == 2:
            sent = DeliveryState.SENT
            desk.scene.record(desk.claim, delivery_id, FIRST_PART_SENT, outcome=sent)
        desk.scene.record(desk.claim, delivery_id, UNKNOWN, part=part)
        return delivery_id

    def test_the_last_part_makes_it_sent(self, desk: Desk) -> None:
        self.in_doubt(desk, part=2)
        assert desk.resolve_as_sent() == (1, 0)
        assert desk.states()[0] is DeliveryState.SENT

    def test_a_part_before_the_last_makes_it_go_on_with_the_next(self, desk: Desk) -> None:
        delivery_id = self.in_doubt(desk, part=1)
        assert desk.resolve_as_sent() == (0, 1)
        due = {one.id: one.accepted_parts for one in desk.scene.due(desk.claim)}
        assert due[delivery_id] == 1

    def test_in_a_canceled_send_nothing_goes_on(self, desk: Desk) -> None:
        self.in_doubt(desk, part=1)
        desk.cancel()
        assert desk.resolve_as_sent() == (0, 1)
        assert desk.states()[0] is DeliveryState.CANCELED

    def test_the_log_says_by_whose_word(self, desk: Desk) -> None:
        delivery_id = self.in_doubt(desk, part=2)
        desk.resolve_as_sent()
        note = desk.scene.attempts(delivery_id)[-1]
        assert (note.part, note.outcome, note.code) == (2, DeliveryState.SENT, "resolved-sent")
        assert note.reply == "kim: it arrived"

    def test_only_what_is_unknown_is_resolved(self, desk: Desk) -> None:
        desk.end_next(FAILED)
        assert desk.resolve_as_sent() == (0, 0)
        assert desk.states()[0] is DeliveryState.FAILED


def test_a_send_is_not_finished_while_an_operator_retries(postgres_ledger: Ledger) -> None:
    desk = Desk(Scene(postgres_ledger))
    for _ in range(3):
        desk.end_next(FAILED)
    desk.scene.release(desk.claim)
    finished: list[bool] = []

    def close() -> None:
        with postgres_ledger.write() as c:
            finished.append(sends.close_if_done(c, desk.send_id, NOW))

    sweeper = threading.Thread(target=close)
    with postgres_ledger.write() as c:
        steering.lock(c, desk.send_id)
        decisions.requeue(c, desk.send_id, DeliveryState.FAILED, ALL, RETRY)
        sweeper.start()
        eventually(desk.somebody_waits)
        steering.reopen(c, desk.send_id, deadline_at=NOW, at=NOW)
    sweeper.join()
    assert finished == [False]
    assert desk.state is SendState.SENDING


def test_a_batch_given_back_while_an_operator_retries_is_due(postgres_ledger: Ledger) -> None:
    desk = Desk(Scene(postgres_ledger))
    for _ in range(3):
        desk.end_next(FAILED)
    worker = threading.Thread(target=lambda: desk.scene.release(desk.claim))
    with postgres_ledger.write() as c:
        steering.lock(c, desk.send_id)
        decisions.requeue(c, desk.send_id, DeliveryState.FAILED, ALL, RETRY)
        steering.reopen(c, desk.send_id, deadline_at=NOW, at=NOW)
        worker.start()
        eventually(desk.somebody_waits)
    worker.join()
    assert desk.scene.batch(desk.claim.batch_id).due_at is not None
