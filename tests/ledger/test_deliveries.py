from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from distributor.ledger import deliveries, reachability, steering
from distributor.ledger.database import Ledger
from distributor.ledger.deliveries import EXPIRED, Change, Ended
from distributor.ledger.states import DeliveryState, SendState
from distributor.ledger.tables import subscribers, suppressions
from tests.ledger.scene import AT, DEADLINE, LEASE, Scene, later, wait_until_blocked

AFTER_THE_LEASE = AT + LEASE * 2
SENT = Change(DeliveryState.SENT, 1)
FAILED = Change(DeliveryState.FAILED, 1)
#: A part was accepted, and the next one follows.
NEXT_PART = Change(DeliveryState.SENDING, 1)


def retry_at(seconds: float) -> Change:
    return Change(DeliveryState.RETRYING, 1, next_attempt_at=later(seconds))


@pytest.fixture
def send_id(scene: Scene) -> int:
    return scene.sending("a@example.com", "b@example.com")


class TestWhatIsDue:
    def test_queued_deliveries_in_their_order(self, scene: Scene, send_id: int) -> None:
        due = scene.due(scene.claim_first(send_id))
        assert [(one.address, one.attempts, one.skip) for one in due] == [
            ("a@example.com", 0, None),
            ("b@example.com", 0, None),
        ]

    def test_no_more_than_asked_for(self, scene: Scene, send_id: int) -> None:
        claim = scene.claim_first(send_id)
        with scene.ledger.read() as c:
            assert len(deliveries.due(c, claim, at=AT, limit=1)) == 1

    def test_only_of_the_claimed_batch(self, scene: Scene) -> None:
        send_id = scene.sending("a@example.com", "b@example.com", batch_size=1)
        second = scene.claim(scene.batches(send_id)[1])
        assert [one.address for one in scene.due(second)] == ["b@example.com"]

    def test_a_retry_when_its_time_has_come(self, scene: Scene) -> None:
        claim = scene.claim_first(scene.sending("a@example.com"))
        scene.record(claim, scene.take_first(claim), retry_at(60))
        assert scene.due(claim, at=later(59)) == []
        assert [one.attempts for one in scene.due(claim, at=later(60))] == [1]

    def test_one_in_flight_is_not(self, scene: Scene, send_id: int) -> None:
        claim = scene.claim_first(send_id)
        taken = scene.take_first(claim)
        assert taken not in [one.id for one in scene.due(claim)]

    def test_who_was_suppressed_meanwhile_is_to_be_skipped(
        self, scene: Scene, send_id: int
    ) -> None:
        scene.suppress("a@example.com")
        due = scene.due(scene.claim_first(send_id))
        assert [one.skip for one in due] == ["suppressed", None]

    def test_who_left_meanwhile_is_to_be_skipped(self, scene: Scene) -> None:
        daily = scene.mailing_list("daily")
        leaver = scene.subscribe("gone@example.com", "daily")
        send_id = scene.create(daily)
        scene.freeze(send_id)
        scene.leave(leaver, daily)
        assert [one.skip for one in scene.due(scene.claim_first(send_id))] == ["unsubscribed"]

    def test_who_is_still_on_another_list_of_the_send_is_not_skipped(self, scene: Scene) -> None:
        daily, weekly = scene.mailing_list("daily"), scene.mailing_list("weekly")
        half = scene.subscribe("half@example.com", "daily", "weekly")
        send_id = scene.create(daily, weekly)
        scene.freeze(send_id)
        scene.leave(half, daily)
        assert [one.skip for one in scene.due(scene.claim_first(send_id))] == [None]

    def test_a_test_send_needs_no_list(self, scene: Scene) -> None:
        send_id = scene.create(targets=[scene.subscribe("me@example.com")])
        scene.freeze(send_id)
        assert [one.skip for one in scene.due(scene.claim_first(send_id))] == [None]


class TestTaking:
    def test_the_delivery_is_in_flight_before_its_message_leaves(
        self, scene: Scene, send_id: int
    ) -> None:
        delivery = scene.delivery(scene.take_first(scene.claim_first(send_id)))
        assert (delivery.state, delivery.attempts) == (DeliveryState.SENDING, 1)

    def test_one_in_flight_cannot_be_taken(self, scene: Scene, send_id: int) -> None:
        claim = scene.claim_first(send_id)
        taken = scene.take_first(claim)
        assert not scene.take(claim, taken)

    @pytest.mark.parametrize("change", [SENT, FAILED, Change(DeliveryState.UNKNOWN, 1)])
    def test_one_that_has_ended_cannot_be_taken(
        self, scene: Scene, send_id: int, change: Change
    ) -> None:
        claim = scene.claim_first(send_id)
        taken = scene.take_first(claim)
        scene.record(claim, taken, change)
        assert not scene.take(claim, taken)

    @pytest.mark.parametrize("state", [SendState.PAUSED, SendState.CANCELED])
    def test_nothing_leaves_once_the_send_was_stopped(
        self, scene: Scene, send_id: int, state: SendState
    ) -> None:
        claim = scene.claim_first(send_id)
        scene.set_state(send_id, state)
        assert not scene.take(claim, scene.due(claim)[0].id)
        assert scene.books(send_id)[DeliveryState.QUEUED] == 2

    def test_nothing_leaves_once_the_deadline_is_over(self, scene: Scene, send_id: int) -> None:
        claim = scene.claim_first(send_id)
        delivery_id = scene.due(claim)[0].id
        assert not scene.take(claim, delivery_id, at=DEADLINE)
        assert scene.take(claim, delivery_id, at=DEADLINE - timedelta(seconds=1))

    def test_nothing_leaves_once_the_lease_was_lost(self, scene: Scene, send_id: int) -> None:
        lost = scene.claim_first(send_id)
        held = scene.claim_first(send_id, at=AFTER_THE_LEASE)
        delivery_id = scene.due(held)[0].id
        assert not scene.take(lost, delivery_id)
        assert scene.take(held, delivery_id)

    def test_nothing_leaves_once_the_lease_was_given_back(self, scene: Scene, send_id: int) -> None:
        claim = scene.claim_first(send_id)
        scene.release(claim)
        assert not scene.take(claim, scene.due(claim)[0].id)


class TestWhatIsAcceptedAlready:
    def test_is_sent_without_another_message(self, scene: Scene, send_id: int) -> None:
        claim = scene.claim_first(send_id)
        taken = scene.take_first(claim)
        with scene.ledger.write() as c:
            deliveries.end_accepted(c, claim, [taken], AT)
        assert scene.delivery(taken).state is DeliveryState.SENT

    def test_is_left_alone_once_the_lease_was_lost(self, scene: Scene, send_id: int) -> None:
        lost = scene.claim_first(send_id)
        taken = scene.take_first(lost)
        scene.claim_first(send_id, at=AFTER_THE_LEASE)
        with scene.ledger.write() as c:
            deliveries.end_accepted(c, lost, [taken], AT)
        assert scene.delivery(taken).state is DeliveryState.SENDING


class TestRecording:
    def test_the_platforms_answer_is_kept(self, scene: Scene, send_id: int) -> None:
        claim = scene.claim_first(send_id)
        taken = scene.take_first(claim)
        scene.record(claim, taken, SENT, message_id="<1@example.org>", at=later(1))
        kept = scene.delivery(taken)
        assert (kept.state, kept.code, kept.reply, kept.message_id, kept.updated_at) == (
            DeliveryState.SENT,
            "250",
            "the platform says 250",
            "<1@example.org>",
            later(1),
        )

    def test_every_try_is_in_the_log(self, scene: Scene) -> None:
        claim = scene.claim_first(scene.sending("a@example.com"))
        first = scene.take_first(claim)
        scene.record(claim, first, retry_at(60), code="451")
        scene.take_first(claim, at=later(60))
        scene.record(claim, first, Change(DeliveryState.SENT, 2), at=later(60))
        tries = scene.attempts(first)
        assert [(one.number, one.outcome, one.code, one.at) for one in tries] == [
            (1, DeliveryState.RETRYING, "451", AT),
            (2, DeliveryState.SENT, "250", later(60)),
        ]

    def test_a_recipient_that_moved_is_followed(self, scene: Scene, send_id: int) -> None:
        claim = scene.claim_first(send_id)
        taken = scene.take_first(claim)
        change = Change(DeliveryState.RETRYING, 1, next_attempt_at=AT, address="new@example.com")
        scene.record(claim, taken, change)
        assert "new@example.com" in [one.address for one in scene.due(claim)]


class TestParts:
    def test_a_delivery_goes_on_after_the_parts_that_were_accepted(self, scene: Scene) -> None:
        claim = scene.claim_first(scene.sending("a@example.com"))
        taken = scene.take_first(claim)
        scene.record(claim, taken, NEXT_PART, outcome=DeliveryState.SENT, message_id="41")
        assert scene.delivery(taken).state is DeliveryState.SENDING
        scene.record(claim, taken, retry_at(60), part=2)
        (again,) = scene.due(claim, at=later(60))
        assert (again.accepted_parts, again.accepted, again.attempts) == (1, ("41",), 1)

    def test_a_part_that_was_refused_is_not_counted_as_accepted(self, scene: Scene) -> None:
        claim = scene.claim_first(scene.sending("a@example.com"))
        scene.record(claim, scene.take_first(claim), retry_at(60))
        assert [one.accepted_parts for one in scene.due(claim, at=later(60))] == [0]

    def test_a_part_without_a_message_id_is_counted(self, scene: Scene) -> None:
        claim = scene.claim_first(scene.sending("a@example.com"))
        taken = scene.take_first(claim)
        scene.record(claim, taken, NEXT_PART, outcome=DeliveryState.SENT)
        scene.record(claim, taken, retry_at(60), part=2)
        (again,) = scene.due(claim, at=later(60))
        assert (again.accepted_parts, again.accepted) == (1, ())

    def test_an_accepted_part_stays_accepted_whatever_is_reported_late(self, scene: Scene) -> None:
        send_id = scene.sending("a@example.com")
        lost = scene.claim_first(send_id)
        taken = scene.take_first(lost)
        held = scene.claim_first(send_id, at=AFTER_THE_LEASE)
        scene.record(held, taken, NEXT_PART, outcome=DeliveryState.SENT, message_id="41")
        scene.record(lost, taken, retry_at(60))
        scene.record(held, taken, retry_at(60), part=2)
        assert [one.accepted for one in scene.due(held, at=later(60))] == [("41",)]


class TestSkipping:
    def test_whoever_must_not_get_it_is_accounted_for(self, scene: Scene, send_id: int) -> None:
        first, _ = scene.due(scene.claim_first(send_id))
        with scene.ledger.write() as c:
            deliveries.skip(c, first.id, "suppressed", later(1))
        skipped = scene.delivery(first.id)
        assert (skipped.state, skipped.code) == (DeliveryState.SKIPPED, "suppressed")

    def test_what_is_in_flight_is_not_skipped(self, scene: Scene, send_id: int) -> None:
        taken = scene.take_first(scene.claim_first(send_id))
        with scene.ledger.write() as c:
            deliveries.skip(c, taken, "suppressed", later(1))
        assert scene.delivery(taken).state is DeliveryState.SENDING


class TestExpiring:
    @pytest.fixture
    def large(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> int:
        """A send of more batches than are ended at a time."""
        monkeypatch.setattr(deliveries, "_BATCHES_AT_ONCE", 2)
        return scene.sending("a@example.com", "b@example.com", "c@example.com", batch_size=1)

    def expire(self, scene: Scene) -> int:
        with scene.ledger.write() as c:
            return deliveries.expire(c, DEADLINE).number

    @pytest.mark.parametrize("state", [SendState.SENDING, SendState.PAUSED])
    def test_what_waits_at_the_deadline_has_failed(
        self, scene: Scene, send_id: int, state: SendState
    ) -> None:
        claim = scene.claim_first(send_id)
        scene.record(claim, scene.take_first(claim), retry_at(90000))
        scene.set_state(send_id, state)
        assert self.expire(scene) == 2
        rows = scene.deliveries(send_id)
        assert [(one.state, one.code) for one in rows] == [(DeliveryState.FAILED, EXPIRED)] * 2

    def test_a_large_send_is_ended_in_turns(self, large: int, scene: Scene) -> None:
        first, second, third = scene.batches(large)
        with scene.ledger.write() as c:
            assert deliveries.expire(c, DEADLINE) == Ended(2, last_batch=second)
        assert scene.books(large)[DeliveryState.QUEUED] == 1
        assert scene.batch(first).due_at is None
        assert scene.batch(third).due_at is not None
        with scene.ledger.write() as c:
            assert deliveries.expire(c, DEADLINE, after=second) == Ended(1, last_batch=None)
        assert scene.books(large)[DeliveryState.FAILED] == 3

    def test_an_operator_who_moves_the_deadline_between_the_turns_wins(
        self, large: int, scene: Scene
    ) -> None:
        with scene.ledger.write() as c:
            turn = deliveries.expire(c, DEADLINE)
        with scene.ledger.write() as c:
            steering.lock(c, large)
            steering.reopen(c, large, deadline_at=later(2 * 86400), at=DEADLINE)
        assert turn.last_batch is not None
        with scene.ledger.write() as c:
            assert deliveries.expire(c, DEADLINE, after=turn.last_batch).number == 0
        assert scene.books(large)[DeliveryState.QUEUED] == 1

    def test_what_may_have_been_accepted_is_unknown_and_never_failed(
        self, scene: Scene, send_id: int
    ) -> None:
        claim = scene.claim_first(send_id)
        first = scene.take_first(claim)
        scene.record(claim, first, retry_at(90000), outcome=DeliveryState.UNKNOWN)
        self.expire(scene)
        assert scene.delivery(first).state is DeliveryState.UNKNOWN

    def test_a_paused_send_is_looked_at_once(self, scene: Scene, send_id: int) -> None:
        scene.set_state(send_id, SendState.PAUSED)
        assert self.expire(scene) == 2
        assert [scene.batch(one).due_at for one in scene.batches(send_id)] == [None]

    def test_what_an_operator_queues_again_meanwhile_has_its_new_deadline(
        self, postgres_ledger: Ledger
    ) -> None:
        """On SQLite one of the two writes after the other."""
        scene = Scene(postgres_ledger)
        send_id = scene.sending("a@example.com")
        with ThreadPoolExecutor(1) as sweeper:
            with scene.ledger.write() as c:
                steering.lock(c, send_id)
                expired = sweeper.submit(self.expire, scene)
                wait_until_blocked(scene.ledger)
                steering.reopen(c, send_id, deadline_at=later(2 * 86400), at=later(86400))
            assert expired.result(10) == 0
        (batch_id,) = scene.batches(send_id)
        assert scene.batch(batch_id).due_at is not None

    def test_a_batch_that_a_worker_holds_stays_due(self, scene: Scene, send_id: int) -> None:
        claim = scene.claim_first(send_id)
        self.expire(scene)
        assert scene.batch(claim.batch_id).due_at is not None

    def test_nothing_expires_before_the_deadline(self, scene: Scene, send_id: int) -> None:
        with scene.ledger.write() as c:
            deliveries.expire(c, later(86399))
        assert scene.books(send_id)[DeliveryState.QUEUED] == 2

    def test_what_is_in_flight_or_has_ended_keeps_its_state(
        self, scene: Scene, send_id: int
    ) -> None:
        claim = scene.claim_first(send_id)
        scene.record(claim, scene.take_first(claim), SENT)
        scene.take_first(claim)
        assert self.expire(scene) == 0
        assert [one.state for one in scene.deliveries(send_id)] == [
            DeliveryState.SENT,
            DeliveryState.SENDING,
        ]

    def test_a_canceled_send_is_left_alone(self, scene: Scene, send_id: int) -> None:
        scene.set_state(send_id, SendState.CANCELED)
        assert self.expire(scene) == 0


class TestSuppressing:
    def test_an_address_is_kept_with_its_reason(self, scene: Scene) -> None:
        with scene.ledger.write() as c:
            reachability.suppress(c, "email", "x@example.com", reason="dead", detail="550", at=AT)
        with scene.ledger.read() as c:
            kept = c.execute(sa.select(suppressions)).one()
        assert (kept.address, kept.reason, kept.source, kept.detail) == (
            "x@example.com",
            "dead",
            "delivery",
            "550",
        )

    def test_the_first_reason_stays(self, scene: Scene) -> None:
        for reason in ("complaint", "dead"):
            scene.suppress("x@example.com", reason=reason)
        with scene.ledger.read() as c:
            assert c.scalars(sa.select(suppressions.c.reason)).all() == ["complaint"]


class TestMovingASubscriber:
    def move(self, scene: Scene, subscriber_id: int, address: str) -> str:
        with scene.ledger.write() as c:
            reachability.move_subscriber(c, subscriber_id, address)
            address_now: str = c.execute(
                sa.select(subscribers.c.address).where(subscribers.c.id == subscriber_id)
            ).scalar_one()
        return address_now

    def test_it_has_the_new_address_from_then_on(self, scene: Scene) -> None:
        group = scene.subscribe("-42", channel="telegram")
        assert self.move(scene, group, "-10042") == "-10042"

    def test_an_address_that_another_subscriber_has_is_not_taken(self, scene: Scene) -> None:
        group = scene.subscribe("-42", channel="telegram")
        scene.subscribe("-10042", channel="telegram")
        assert self.move(scene, group, "-10042") == "-42"

    def test_the_same_address_on_another_channel_does_not_matter(self, scene: Scene) -> None:
        scene.subscribe("new@example.com", channel="email")
        group = scene.subscribe("-42", channel="telegram")
        assert self.move(scene, group, "new@example.com") == "new@example.com"
