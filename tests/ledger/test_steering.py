"""Steering a send by hand, as the ledger sees it; each test runs on both databases."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from distributor.ledger import deliveries, hinting, sends, steering, tables
from distributor.ledger.database import Ledger
from distributor.ledger.deliveries import Change
from distributor.ledger.sends import Audience
from distributor.ledger.states import DeliveryState, SendState
from tests.ledger.desk import (
    FAILED,
    FIRST_PART_SENT,
    NOW,
    RETRYING,
    UNKNOWN,
    Desk,
)
from tests.ledger.scene import AT, DEADLINE, Scene, later
from tests.support.waiting import eventually

BEFORE_PAUSE = (SendState.PREPARING, SendState.SENDING)
ENDED = (SendState.FINISHED, SendState.CANCELED)


class TestPausing:
    @pytest.mark.parametrize("state", BEFORE_PAUSE)
    def test_what_is_under_way_can_be_paused(self, desk: Desk, state: SendState) -> None:
        desk.scene.set_state(desk.send_id, state)
        assert desk.pause()
        assert desk.state is SendState.PAUSED

    @pytest.mark.parametrize("state", sorted(set(SendState) - set(BEFORE_PAUSE)))
    def test_nothing_else_can(self, desk: Desk, state: SendState) -> None:
        desk.scene.set_state(desk.send_id, state)
        assert not desk.pause()
        assert desk.state is state

    def test_no_delivery_changes_its_state(self, desk: Desk) -> None:
        desk.begin_next()
        before = desk.states()
        desk.pause()
        assert desk.states() == before

    def test_nobody_claims_a_batch_of_it(self, desk: Desk) -> None:
        desk.scene.release(desk.claim)
        desk.pause()
        assert desk.scene.try_claim(desk.claim.batch_id, at=NOW) is None

    def test_an_answer_that_comes_late_is_written_down(self, desk: Desk) -> None:
        delivery_id = desk.begin_next()
        desk.pause()
        desk.scene.record(desk.claim, delivery_id, Change(DeliveryState.SENT, 1))
        assert desk.scene.delivery(delivery_id).state is DeliveryState.SENT


class TestResuming:
    def test_workers_may_claim_at_once_what_is_queued(self, desk: Desk) -> None:
        desk.pause()
        desk.scene.release(desk.claim)
        assert desk.resume()
        assert desk.state is SendState.SENDING
        assert desk.scene.try_claim(desk.claim.batch_id, at=NOW) is not None

    def test_hints_that_were_for_nothing_are_forgotten(self, desk: Desk) -> None:
        desk.scene.release(desk.claim)
        with desk.scene.ledger.write() as c:
            assert hinting.to_hint(c, at=AT, again_after_seconds=30, limit=9)
        desk.pause()
        desk.resume()
        assert desk.scene.batch(desk.claim.batch_id).hinted_at is None

    def test_what_waits_for_its_next_try_goes_on_waiting(self, desk: Desk) -> None:
        for _ in range(3):
            desk.end_next(RETRYING)
        desk.pause()
        desk.scene.release(desk.claim)
        desk.resume()
        assert desk.scene.batch(desk.claim.batch_id).due_at == later(600)

    def test_what_fell_due_meanwhile_is_due_from_then_on(self, desk: Desk) -> None:
        for _ in range(3):
            desk.end_next(Change(DeliveryState.RETRYING, 1, next_attempt_at=later(5)))
        desk.scene.release(desk.claim)
        desk.pause()
        desk.resume()
        assert desk.scene.batch(desk.claim.batch_id).due_at == NOW

    def test_what_has_ended_is_not_due_again(self, desk: Desk) -> None:
        for _ in range(3):
            desk.end_next(FAILED)
        desk.scene.release(desk.claim)
        desk.pause()
        desk.resume()
        assert desk.scene.batch(desk.claim.batch_id).due_at is None

    def test_a_send_that_was_not_planned_yet_is_planned_then(self, scene: Scene) -> None:
        send_id = scene.create(scene.mailing_list("daily"))
        with scene.ledger.write() as c:
            steering.pause(c, send_id)
            steering.resume(c, send_id, NOW)
        assert scene.send_state(send_id) is SendState.PREPARING

    @pytest.mark.parametrize("state", sorted(set(SendState) - {SendState.PAUSED}))
    def test_only_a_paused_send_goes_on(self, desk: Desk, state: SendState) -> None:
        desk.scene.set_state(desk.send_id, state)
        assert not desk.resume()
        assert desk.state is state


class TestCanceling:
    @pytest.mark.parametrize("state", sorted(set(SendState) - set(ENDED)))
    def test_what_has_not_ended_can_be_canceled(self, desk: Desk, state: SendState) -> None:
        desk.scene.set_state(desk.send_id, state)
        assert desk.cancel()
        with desk.scene.ledger.read() as c:
            send = sends.find(c, desk.send_id)
        assert send is not None
        assert (send.state, send.finished_at) == (SendState.CANCELED, NOW)

    @pytest.mark.parametrize("state", ENDED)
    def test_what_has_ended_stays_as_it_is(self, desk: Desk, state: SendState) -> None:
        desk.scene.set_state(desk.send_id, state)
        assert not desk.cancel()
        assert desk.state is state
        assert desk.states() == [DeliveryState.QUEUED] * 3

    def test_what_waits_is_canceled_and_what_has_left_is_not(self, desk: Desk) -> None:
        desk.end_next(Change(DeliveryState.SENT, 1))
        desk.end_next(RETRYING)
        desk.begin_next()
        desk.cancel()
        assert desk.states() == ["sent", "canceled", "sending"]

    def test_an_outcome_in_flight_is_written_down(self, desk: Desk) -> None:
        delivery_id = desk.begin_next()
        desk.cancel()
        desk.scene.record(desk.claim, delivery_id, Change(DeliveryState.SENT, 1))
        assert desk.states() == ["sent", "canceled", "canceled"]

    def test_what_came_back_from_flight_is_canceled_afterwards(self, desk: Desk) -> None:
        delivery_id = desk.begin_next()
        desk.cancel()
        desk.scene.record(desk.claim, delivery_id, RETRYING)
        assert desk.end_canceled() == 1
        assert desk.states() == ["canceled"] * 3

    def test_what_may_have_arrived_is_unknown_and_not_canceled(self, desk: Desk) -> None:
        in_doubt = desk.end_next(RETRYING, outcome=DeliveryState.UNKNOWN, code="smtp-lost")
        desk.cancel()
        assert desk.states() == ["unknown", "canceled", "canceled"]
        assert desk.scene.delivery(in_doubt).code == "smtp-lost"

    def test_other_sends_are_left_alone(self, desk: Desk) -> None:
        other = desk.scene.sending("d@example.com", name="weekly")
        desk.cancel()
        assert [row.state for row in desk.scene.deliveries(other)] == [DeliveryState.QUEUED]

    def test_a_batch_stays_due_until_its_worker_gave_it_back(self, desk: Desk) -> None:
        delivery_id = desk.begin_next()
        desk.cancel()
        desk.scene.record(desk.claim, delivery_id, Change(DeliveryState.SENT, 1))
        desk.end_canceled()
        assert desk.scene.batch(desk.claim.batch_id).due_at is not None
        desk.scene.release(desk.claim)
        assert desk.scene.batch(desk.claim.batch_id).due_at is None

    def test_what_was_put_back_while_it_was_canceled_is_canceled_afterwards(
        self, desk: Desk
    ) -> None:
        delivery_id = desk.begin_next()
        desk.cancel()
        with desk.scene.ledger.write() as c:
            deliveries.put_back(c, desk.claim, [delivery_id], NOW)
        desk.scene.release(desk.claim)
        assert desk.end_canceled() == 1
        assert desk.states() == ["canceled"] * 3

    def test_the_books_balance(self, desk: Desk) -> None:
        desk.end_next(FAILED)
        desk.cancel()
        assert desk.scene.books(desk.send_id).balanced


class TestSendingACanceledEditionAgain:
    def had_it(self, desk: Desk) -> bool:
        with desk.scene.ledger.read() as c:
            send = sends.find(c, desk.send_id)
            assert send is not None
            return bool(sends.already_sent(c, send.digest_id, [Audience(1, "email")]))

    def test_nothing_had_left_so_it_may_go_out(self, desk: Desk) -> None:
        desk.end_next(FAILED)
        desk.cancel()
        assert not self.had_it(desk)

    @pytest.mark.parametrize("change", [Change(DeliveryState.SENT, 1), UNKNOWN])
    def test_somebody_has_it_or_may_have_it(self, desk: Desk, change: Change) -> None:
        desk.end_next(change)
        desk.cancel()
        assert self.had_it(desk)

    def test_somebody_may_be_getting_it(self, desk: Desk) -> None:
        desk.begin_next()
        desk.cancel()
        assert self.had_it(desk)

    def test_somebody_has_a_part_of_it(self, desk: Desk) -> None:
        delivery_id = desk.begin_next()
        sent = DeliveryState.SENT
        desk.scene.record(desk.claim, delivery_id, FIRST_PART_SENT, outcome=sent)
        desk.scene.record(desk.claim, delivery_id, RETRYING, part=2)
        desk.cancel()
        assert self.had_it(desk)


class TestCancelingALargeSend:
    """One with more batches than are ended at a time."""

    @pytest.fixture
    def desk(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Desk:
        monkeypatch.setattr(deliveries, "_BATCHES_AT_ONCE", 2)
        return Desk(scene, batch_size=1)

    def had_it(self, desk: Desk) -> bool:
        with desk.scene.ledger.read() as c:
            query = sa.select(tables.send_audiences.c.run)
            return c.execute(query).scalar_one() is not None

    def test_its_first_batches_end_at_once_and_the_others_in_turns(self, desk: Desk) -> None:
        desk.cancel()
        assert desk.state is SendState.CANCELED
        assert desk.states() == ["canceled", "canceled", "queued"]
        assert desk.end_canceled() == 1
        assert desk.states() == ["canceled"] * 3

    def test_nothing_is_taken_of_what_has_not_ended(self, desk: Desk) -> None:
        last = desk.scene.try_claim(desk.scene.batches(desk.send_id)[2], at=AT)
        assert last is not None
        desk.cancel()
        (waiting,) = desk.scene.due(last)
        with desk.scene.ledger.write() as c:
            assert not deliveries.take(c, last, [waiting.id], NOW)

    def test_its_edition_may_go_out_again_when_all_of_it_has_ended(self, desk: Desk) -> None:
        desk.cancel()
        assert self.had_it(desk)
        desk.end_canceled()
        assert not self.had_it(desk)

    @pytest.mark.parametrize("in_doubt", range(3))
    def test_somebody_may_have_it_whatever_batch_they_are_in(
        self, desk: Desk, in_doubt: int
    ) -> None:
        claim = desk.scene.try_claim(desk.scene.batches(desk.send_id)[in_doubt], at=later(90))
        assert claim is not None
        delivery_id = desk.scene.take_first(claim)
        desk.scene.record(claim, delivery_id, RETRYING, outcome=DeliveryState.UNKNOWN)
        desk.scene.release(claim)
        desk.cancel()
        desk.end_canceled()
        assert desk.states().count(DeliveryState.UNKNOWN) == 1
        assert self.had_it(desk)

    def test_what_came_back_in_doubt_between_the_turns_counts_as_handed_over(
        self, desk: Desk
    ) -> None:
        delivery_id = desk.begin_next()
        with desk.scene.ledger.write() as c:
            steering.cancel(c, desk.send_id, NOW)
        unknown = DeliveryState.UNKNOWN
        desk.scene.record(desk.claim, delivery_id, RETRYING, outcome=unknown)
        with desk.scene.ledger.write() as c:
            second = desk.scene.batches(desk.send_id)[1]
            steering.end_canceled(c, desk.send_id, NOW, after=second)
        assert self.had_it(desk)
        desk.end_canceled()
        assert self.had_it(desk)


class TestReopening:
    def finished(self, desk: Desk) -> None:
        for _ in range(3):
            desk.end_next(FAILED)
        desk.scene.release(desk.claim)
        with desk.scene.ledger.write() as c:
            assert sends.close_if_done(c, desk.send_id, AT)
        desk.retry()

    def test_a_finished_send_goes_on(self, desk: Desk) -> None:
        self.finished(desk)
        desk.reopen()
        with desk.scene.ledger.read() as c:
            send = sends.find(c, desk.send_id)
        assert send is not None
        assert (send.state, send.finished_at) == (SendState.SENDING, None)
        assert desk.scene.try_claim(desk.claim.batch_id, at=NOW) is not None

    def test_a_paused_send_stays_paused(self, desk: Desk) -> None:
        desk.pause()
        desk.reopen()
        assert desk.state is SendState.PAUSED

    def test_its_deadline_is_moved_but_never_to_an_earlier_time(self, desk: Desk) -> None:
        for wanted, becomes in [(AT, DEADLINE), (later(10**6), later(10**6))]:
            desk.reopen(wanted)
            with desk.scene.ledger.read() as c:
                send = sends.find(c, desk.send_id)
            assert send is not None
            assert send.deadline_at == becomes


def test_two_operators_wait_for_each_other(postgres_ledger: Ledger) -> None:
    desk = Desk(Scene(postgres_ledger))
    seen: list[SendState] = []

    def look() -> None:
        with postgres_ledger.write() as c:
            send = steering.lock(c, desk.send_id)
            assert send is not None
            seen.append(send.state)

    other = threading.Thread(target=look)
    with postgres_ledger.write() as c:
        steering.lock(c, desk.send_id)
        other.start()
        eventually(desk.somebody_waits)
        steering.pause(c, desk.send_id)
    other.join()
    assert seen == [SendState.PAUSED]
