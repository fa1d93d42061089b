"""Steering a send by hand, as the ledger sees it; each test runs on both databases."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from distributor.ledger import batches, deliveries, sends, steering
from distributor.ledger.batches import Claim
from distributor.ledger.database import Ledger
from distributor.ledger.deliveries import Change
from distributor.ledger.sends import Audience
from distributor.ledger.states import DeliveryState, SendState
from distributor.ledger.steering import Choice, Decision
from tests.ledger.scene import AT, DEADLINE, Scene, later
from tests.support.waiting import eventually

ALL = Choice()
NOW = later(60)
RETRY = Decision(steering.RETRY, "kim asked for another try", NOW)
ARRIVED = Decision(steering.RESOLVED_SENT, "kim: it arrived", NOW)
FAILED = Change(DeliveryState.FAILED, 3)
UNKNOWN = Change(DeliveryState.UNKNOWN, 1)
RETRYING = Change(DeliveryState.RETRYING, 1, next_attempt_at=later(600))
FIRST_PART_SENT = Change(DeliveryState.SENDING, 1)
BEFORE_PAUSE = (SendState.PREPARING, SendState.SENDING)
ENDED = (SendState.FINISHED, SendState.CANCELED)


class Desk:
    """An operator before a send to a, b and c, of which one worker has claimed the batch."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.send_id = scene.sending("a@example.com", "b@example.com", "c@example.com")
        self.claim: Claim = scene.claim_first(self.send_id)

    def end_next(
        self, change: Change, *, outcome: DeliveryState | None = None, code: str = "451"
    ) -> int:
        """The worker sends a message and hears this."""
        delivery_id = self.scene.take_first(self.claim)
        self.scene.record(self.claim, delivery_id, change, outcome=outcome, code=code)
        return delivery_id

    def begin_next(self) -> int:
        """The worker's next message is on its way."""
        return self.scene.take_first(self.claim)

    def pause(self) -> bool:
        with self.scene.ledger.write() as c:
            return steering.pause(c, self.send_id)

    def resume(self) -> bool:
        with self.scene.ledger.write() as c:
            return steering.resume(c, self.send_id, NOW)

    def cancel(self) -> bool:
        with self.scene.ledger.write() as c:
            return steering.cancel(c, self.send_id, NOW)

    def end_canceled(self) -> int:
        with self.scene.ledger.write() as c:
            return steering.end_canceled(c, NOW)

    def retry(self, choice: Choice = ALL) -> int:
        with self.scene.ledger.write() as c:
            return steering.requeue(c, self.send_id, DeliveryState.FAILED, choice, RETRY)

    def suppressed(self) -> int:
        with self.scene.ledger.read() as c:
            return steering.count_suppressed(c, self.send_id, DeliveryState.FAILED, ALL)

    def believe_sent(self, choice: Choice = ALL) -> tuple[int, int]:
        with self.scene.ledger.write() as c:
            send = steering.lock(c, self.send_id)
            assert send is not None
            return steering.believe_sent(c, send, choice, ARRIVED)

    def reopen(self, deadline_at: datetime = NOW + timedelta(days=9)) -> None:
        with self.scene.ledger.write() as c:
            steering.reopen(c, self.send_id, deadline_at=deadline_at, at=NOW)

    @property
    def state(self) -> SendState:
        return self.scene.send_state(self.send_id)

    def states(self) -> list[DeliveryState]:
        return [row.state for row in self.scene.deliveries(self.send_id)]


@pytest.fixture
def desk(scene: Scene) -> Desk:
    return Desk(scene)


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
            assert batches.to_hint(c, at=AT, again_after_seconds=30, limit=9)
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

    def test_only_the_codes_that_were_named(self, desk: Desk) -> None:
        for code in ("451", "550", "452"):
            desk.end_next(FAILED, code=code)
        assert desk.retry(Choice(codes=("451", "452"))) == 2
        assert desk.states() == ["queued", "failed", "queued"]

    def test_only_the_channels_that_were_named(self, desk: Desk) -> None:
        desk.end_next(FAILED)
        assert desk.retry(Choice(channels=("telegram",))) == 0
        assert desk.retry(Choice(channels=("telegram", "email"))) == 1

    def test_only_the_subscriber_that_was_named(self, desk: Desk) -> None:
        for _ in range(3):
            desk.end_next(FAILED)
        third = desk.scene.deliveries(desk.send_id)[2].subscriber_id
        assert desk.retry(Choice(subscriber="a@example.com")) == 1
        assert desk.retry(Choice(subscriber=str(third))) == 1
        assert desk.states() == ["queued", "failed", "queued"]

    def test_as_many_as_there_are(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(steering, "_CHUNK", 1)
        for _ in range(3):
            desk.end_next(FAILED)
        assert desk.retry() == 3
        assert desk.states() == ["queued"] * 3


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
        assert desk.believe_sent() == (1, 0)
        assert desk.states()[0] is DeliveryState.SENT

    def test_a_part_before_the_last_makes_it_go_on_with_the_next(self, desk: Desk) -> None:
        delivery_id = self.in_doubt(desk, part=1)
        assert desk.believe_sent() == (0, 1)
        due = {one.id: one.accepted_parts for one in desk.scene.due(desk.claim)}
        assert due[delivery_id] == 1

    def test_in_a_canceled_send_nothing_goes_on(self, desk: Desk) -> None:
        self.in_doubt(desk, part=1)
        desk.cancel()
        assert desk.believe_sent() == (0, 1)
        assert desk.states()[0] is DeliveryState.CANCELED

    def test_the_log_says_by_whose_word(self, desk: Desk) -> None:
        delivery_id = self.in_doubt(desk, part=2)
        desk.believe_sent()
        note = desk.scene.attempts(delivery_id)[-1]
        assert (note.part, note.outcome, note.code) == (2, DeliveryState.SENT, "resolved-sent")
        assert note.reply == "kim: it arrived"

    def test_only_what_is_unknown_is_resolved(self, desk: Desk) -> None:
        desk.end_next(FAILED)
        assert desk.believe_sent() == (0, 0)
        assert desk.states()[0] is DeliveryState.FAILED


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
        eventually(lambda: _waits_for_a_lock(postgres_ledger))
        steering.pause(c, desk.send_id)
    other.join()
    assert seen == [SendState.PAUSED]


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
        steering.requeue(c, desk.send_id, DeliveryState.FAILED, ALL, RETRY)
        sweeper.start()
        eventually(lambda: _waits_for_a_lock(postgres_ledger))
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
        steering.requeue(c, desk.send_id, DeliveryState.FAILED, ALL, RETRY)
        steering.reopen(c, desk.send_id, deadline_at=NOW, at=NOW)
        worker.start()
        eventually(lambda: _waits_for_a_lock(postgres_ledger))
    worker.join()
    assert desk.scene.batch(desk.claim.batch_id).due_at is not None


def _waits_for_a_lock(ledger: Ledger) -> bool:
    with ledger.read() as c:
        query = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
        return bool(c.exec_driver_sql(query).scalar())
