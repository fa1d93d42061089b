"""A worker is lost, or only slow, while the platform has its message."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from distributor.ledger import answers, orphans, sends, steering
from distributor.ledger.answers import Answer
from distributor.ledger.attempts import WORKER_LOST, Attempt
from distributor.ledger.batches import Claim
from distributor.ledger.database import Ledger
from distributor.ledger.deliveries import Change
from distributor.ledger.orphans import Evidence
from distributor.ledger.states import DeliveryState, SendState
from tests.ledger.scene import AT, LEASE, Scene, later, wait_until_blocked

AFTER_THE_LEASE = AT + LEASE * 2
SENT = Change(DeliveryState.SENT, 1)
NEXT_PART = Change(DeliveryState.SENDING, 1)


class Lost:
    """A delivery in flight whose batch another worker has claimed since."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.send_id = scene.sending("a@example.com", "b@example.com")
        self.former = scene.claim_first(self.send_id)
        self.delivery_id = scene.take_first(self.former)
        self.current = scene.claim_first(self.send_id, at=AFTER_THE_LEASE)

    def settle(
        self,
        *,
        resend: bool = False,
        claim: Claim | None = None,
        evidence: Evidence | None = None,
    ) -> int:
        with self.scene.ledger.write() as c:
            return orphans.settle(
                c,
                claim or self.current,
                evidence,
                resend=resend,
                worker="worker-2",
                at=AFTER_THE_LEASE,
            )

    def answer(
        self, change: Change, *, outcome: DeliveryState | None = None, part: int = 1
    ) -> Answer:
        """What the platform told the former worker."""
        attempt = Attempt(
            delivery_id=self.delivery_id,
            part=part,
            number=1,
            at=AT,
            outcome=outcome or change.state,
            code="ok",
            reply="accepted",
            message_id="41",
            worker="worker-1",
            duration_ms=3,
        )
        return Answer(subscriber_id=1, address="a@example.com", attempt=attempt, change=change)

    def report(self, change: Change, *, outcome: DeliveryState | None = None) -> None:
        """What the former worker says in the end."""
        self.scene.record(self.former, self.delivery_id, change, outcome=outcome, message_id="41")

    @property
    def state(self) -> DeliveryState:
        state: DeliveryState = self.scene.delivery(self.delivery_id).state
        return state


@pytest.fixture
def lost(scene: Scene) -> Lost:
    return Lost(scene)


class TestSettling:
    def test_held_back_it_is_unknown(self, lost: Lost) -> None:
        assert lost.settle() == 1
        assert lost.state is DeliveryState.UNKNOWN
        assert lost.scene.delivery(lost.delivery_id).code == WORKER_LOST

    def test_resent_it_is_due_at_once(self, lost: Lost) -> None:
        assert lost.settle(resend=True) == 1
        assert lost.state is DeliveryState.RETRYING
        due = lost.scene.due(lost.current, at=AFTER_THE_LEASE)
        assert lost.delivery_id in [one.id for one in due]

    @pytest.mark.parametrize("resend", [True, False])
    def test_the_log_says_what_happened(self, lost: Lost, resend: bool) -> None:
        lost.settle(resend=resend)
        (entry,) = lost.scene.attempts(lost.delivery_id)
        assert (entry.part, entry.number, entry.outcome, entry.code, entry.worker) == (
            1,
            1,
            DeliveryState.UNKNOWN,
            WORKER_LOST,
            "worker-2",
        )

    def test_the_log_names_the_part_that_was_in_flight(self, lost: Lost) -> None:
        lost.scene.record(lost.current, lost.delivery_id, NEXT_PART, outcome=DeliveryState.SENT)
        lost.settle()
        assert [one.part for one in lost.scene.attempts(lost.delivery_id)] == [1, 2]

    def test_what_was_not_in_flight_keeps_its_state(self, lost: Lost) -> None:
        lost.settle()
        assert lost.scene.books(lost.send_id)[DeliveryState.QUEUED] == 1

    def test_settling_again_finds_nothing(self, lost: Lost) -> None:
        lost.settle()
        assert lost.settle() == 0
        assert len(lost.scene.attempts(lost.delivery_id)) == 1

    def test_other_batches_are_left_alone(self, scene: Scene) -> None:
        send_id = scene.sending("x@example.com", "y@example.com", batch_size=1)
        first, second = (scene.claim(batch) for batch in scene.batches(send_id))
        taken = scene.take_first(first)
        with scene.ledger.write() as c:
            assert orphans.settle(c, second, None, resend=False, worker="worker-2", at=AT) == 0
        assert scene.delivery(taken).state is DeliveryState.SENDING


class TestSettlingWithEvidence:
    """The former worker's journal is at hand."""

    def test_what_never_left_waits_again(self, lost: Lost) -> None:
        assert lost.settle(evidence=Evidence((), in_doubt=frozenset())) == 0
        assert lost.state is DeliveryState.QUEUED
        assert lost.scene.delivery(lost.delivery_id).attempts == 0

    def test_what_was_answered_is_what_the_answer_says(self, lost: Lost) -> None:
        answer = lost.answer(SENT)
        assert lost.settle(evidence=Evidence((answer,), in_doubt=frozenset())) == 0
        assert lost.state is DeliveryState.SENT
        assert [one.code for one in lost.scene.attempts(lost.delivery_id)] == ["ok"]

    def test_only_the_message_on_its_way_is_in_doubt(self, lost: Lost) -> None:
        evidence = Evidence((), in_doubt=frozenset({lost.delivery_id}))
        assert lost.settle(evidence=evidence) == 1
        assert lost.state is DeliveryState.UNKNOWN

    def test_an_answer_that_the_ledger_has_is_not_logged_twice(self, lost: Lost) -> None:
        answer = lost.answer(NEXT_PART, outcome=DeliveryState.SENT)
        with lost.scene.ledger.write() as c:
            answers.record(c, lost.current, [answer])
        lost.settle(evidence=Evidence((answer,), in_doubt=frozenset()))
        assert len(lost.scene.attempts(lost.delivery_id)) == 1

    def test_a_number_that_was_used_before_does_not_hide_an_answer(self, lost: Lost) -> None:
        lost.scene.log_only(lost.delivery_id, number=1, at=later(-60))
        lost.settle(evidence=Evidence((lost.answer(SENT),), in_doubt=frozenset()))
        assert lost.state is DeliveryState.SENT

    def test_an_accepted_part_is_kept_and_the_next_one_waits(self, lost: Lost) -> None:
        answer = lost.answer(NEXT_PART, outcome=DeliveryState.SENT)
        lost.settle(evidence=Evidence((answer,), in_doubt=frozenset()))
        (waiting, _) = lost.scene.due(lost.current, at=AFTER_THE_LEASE)
        assert (waiting.id, waiting.accepted_parts) == (lost.delivery_id, 1)


class TestALateReport:
    @pytest.mark.parametrize("change", [SENT, Change(DeliveryState.FAILED, 1)])
    @pytest.mark.parametrize("resend", [True, False], ids=["resend", "hold"])
    def test_settles_an_orphan_after_all(self, lost: Lost, change: Change, resend: bool) -> None:
        lost.settle(resend=resend)
        lost.report(change)
        assert lost.state is change.state

    def test_takes_the_place_of_the_loss_in_the_log(self, lost: Lost) -> None:
        lost.settle()
        lost.report(SENT)
        (tried,) = lost.scene.attempts(lost.delivery_id)
        assert (tried.outcome, tried.worker) == (DeliveryState.SENT, "worker-1")

    def test_does_not_overwrite_what_the_next_worker_found_out(self, lost: Lost) -> None:
        lost.settle(resend=True)
        assert lost.scene.take(lost.current, lost.delivery_id)
        lost.scene.record(lost.current, lost.delivery_id, SENT)
        lost.report(Change(DeliveryState.FAILED, 1))
        assert lost.state is DeliveryState.SENT
        assert len(lost.scene.attempts(lost.delivery_id)) == 2

    def test_does_not_interrupt_the_next_worker(self, lost: Lost) -> None:
        lost.settle(resend=True)
        assert lost.scene.take(lost.current, lost.delivery_id)
        lost.report(Change(DeliveryState.FAILED, 1))
        assert lost.state is DeliveryState.SENDING

    def test_does_not_end_the_doubt_about_another_try(self, lost: Lost) -> None:
        unknown = Change(DeliveryState.UNKNOWN, 1)
        lost.scene.record(lost.current, lost.delivery_id, unknown, code="timeout")
        lost.report(Change(DeliveryState.FAILED, 1))
        assert lost.state is DeliveryState.UNKNOWN

    def test_of_an_acceptance_counts_whatever_became_of_other_tries(self, lost: Lost) -> None:
        unknown = Change(DeliveryState.UNKNOWN, 1)
        lost.scene.record(lost.current, lost.delivery_id, unknown, code="timeout")
        lost.report(SENT)
        assert lost.state is DeliveryState.SENT

    def test_of_all_parts_makes_it_sent(self, lost: Lost) -> None:
        lost.settle()
        accepted = [lost.answer(NEXT_PART, outcome=DeliveryState.SENT), lost.answer(SENT, part=2)]
        with lost.scene.ledger.write() as c:
            answers.record(c, lost.former, accepted)
        assert lost.state is DeliveryState.SENT
        assert lost.scene.release(lost.current) is not None
        assert [one.part for one in lost.scene.attempts(lost.delivery_id)] == [1, 2]

    def test_of_a_refusal_for_now_leaves_a_later_refusal_for_good_as_it_is(
        self, lost: Lost
    ) -> None:
        lost.settle(resend=True)
        assert lost.scene.take(lost.current, lost.delivery_id)
        lost.scene.record(lost.current, lost.delivery_id, Change(DeliveryState.FAILED, 2))
        assert lost.state is DeliveryState.UNKNOWN
        lost.report(Change(DeliveryState.RETRYING, 1, later(600)))
        assert lost.state is DeliveryState.FAILED

    def test_does_not_count_tries_back(self, lost: Lost) -> None:
        lost.settle(resend=True)
        assert lost.scene.take(lost.current, lost.delivery_id)
        lost.settle(claim=lost.current, resend=True)
        lost.report(Change(DeliveryState.RETRYING, 1, later(600)))
        assert lost.scene.delivery(lost.delivery_id).attempts == 2
        assert lost.state is DeliveryState.RETRYING

    def test_of_a_refusal_for_now_ends_with_its_canceled_send(self, lost: Lost) -> None:
        lost.settle(resend=True)
        with lost.scene.ledger.write() as c:
            steering.cancel(c, lost.send_id, AFTER_THE_LEASE)
        assert lost.state is DeliveryState.UNKNOWN
        lost.report(Change(DeliveryState.RETRYING, 1, later(600)))
        assert lost.state is DeliveryState.CANCELED

    @pytest.mark.parametrize(
        ("change", "outcome", "accepted"),
        [
            (Change(DeliveryState.RETRYING, 1, later(600)), DeliveryState.RETRYING, 0),
            (NEXT_PART, DeliveryState.SENT, 1),
        ],
        ids=["refused for now", "one part accepted"],
    )
    def test_that_leaves_work_to_do_wakes_its_batch(
        self, lost: Lost, change: Change, outcome: DeliveryState, accepted: int
    ) -> None:
        lost.settle()
        lost.scene.deliver(lost.current)
        assert lost.scene.release(lost.current) is None
        lost.report(change, outcome=outcome)
        assert lost.state is DeliveryState.RETRYING
        third = lost.scene.claim_first(lost.send_id, at=later(600))
        (again,) = lost.scene.due(third, at=later(600))
        assert (again.id, again.accepted_parts) == (lost.delivery_id, accepted)

    def test_that_leaves_work_to_do_does_not_open_a_finished_send(self, lost: Lost) -> None:
        lost.settle()
        lost.scene.deliver(lost.current)
        with lost.scene.ledger.write() as c:
            assert sends.close_if_done(c, lost.send_id, AFTER_THE_LEASE)
        lost.report(Change(DeliveryState.RETRYING, 1, later(600)))
        assert lost.state is DeliveryState.FAILED
        assert lost.scene.send_state(lost.send_id) is SendState.FINISHED

    def test_ends_an_orphan_of_a_finished_send(self, lost: Lost) -> None:
        lost.settle()
        lost.scene.deliver(lost.current)
        with lost.scene.ledger.write() as c:
            assert sends.close_if_done(c, lost.send_id, AFTER_THE_LEASE)
        lost.report(SENT)
        assert lost.state is DeliveryState.SENT


def test_a_late_report_waits_for_whoever_ends_the_send_at_the_same_time(
    postgres_ledger: Ledger,
) -> None:
    lost = Lost(Scene(postgres_ledger))
    lost.settle()
    lost.scene.deliver(lost.current)
    retrying = Change(DeliveryState.RETRYING, 1, later(600))
    with ThreadPoolExecutor(1) as former_worker:
        with postgres_ledger.write() as c:
            assert sends.close_if_done(c, lost.send_id, AFTER_THE_LEASE)
            reporting = former_worker.submit(lost.report, retrying)
            wait_until_blocked(postgres_ledger)
        reporting.result(timeout=60)
    assert lost.state is DeliveryState.FAILED
