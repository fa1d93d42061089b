from __future__ import annotations

from collections import Counter
from datetime import datetime
from uuid import uuid4

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from distributor.ledger import books, deliveries, orphans, sends
from distributor.ledger.batches import Claim
from distributor.ledger.books import Books
from distributor.ledger.database import Ledger
from distributor.ledger.deliveries import Change
from distributor.ledger.states import OPEN_STATES, DeliveryState, SendState
from tests.ledger.scene import AT, DEADLINE, Scene, later

#: Rows of these never change again in this test: it has no bounces and nobody resolves.
ENDED = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.SKIPPED)


class TestBooks:
    def test_have_every_state_zeros_included(self) -> None:
        told = Books(2, {DeliveryState.SENT: 2}).as_json()
        assert set(told) == {"intended", *DeliveryState}
        assert (told["intended"], told["sent"], told["failed"]) == (2, 2, 0)

    def test_balance_when_every_recipient_is_in_a_state(self) -> None:
        assert Books(2, {DeliveryState.SENT: 1, DeliveryState.FAILED: 1}).balanced
        assert not Books(2, {DeliveryState.SENT: 1}).balanced

    def test_tell_what_is_open_and_what_has_ended(self) -> None:
        told = Books(4, dict.fromkeys((*OPEN_STATES, DeliveryState.UNKNOWN), 1))
        assert (told.open, told.ended) == (3, 1)

    def test_of_several_sends_are_counted_apart(self, scene: Scene) -> None:
        daily = scene.sending("a@example.com", "b@example.com", name="daily")
        weekly = scene.sending("c@example.com", name="weekly")
        with scene.ledger.read() as c:
            told = books.of_sends(c, [daily, weekly])
        assert [told[send].total.intended for send in (daily, weekly)] == [2, 1]

    def test_of_a_send_that_was_not_frozen_are_empty(self, scene: Scene) -> None:
        told = scene.books(scene.create(scene.mailing_list("daily")))
        assert (told.intended, told.open, told.balanced) == (0, 0, True)


class Sending(RuleBasedStateMachine):
    """One send in the hands of workers that are slow, lost and late, of operators and time."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.scene = Scene(ledger)
        self.seconds = 0
        #: Every claim that was ever made: workers that lost theirs do not know.
        self.claims: list[Claim] = []
        self.ended: dict[int, DeliveryState] = {}
        self.tries = 0

    @initialize(people=st.integers(0, 6), suppressed=st.integers(0, 2))
    def freeze(self, people: int, suppressed: int) -> None:
        name = uuid4().hex
        addresses = [f"{number}@{name}.example" for number in range(people)]
        for address in addresses[:suppressed]:
            self.scene.suppress(address)
        self.send_id = self.scene.sending(*addresses, batch_size=3, name=name)
        self.intended = people

    @rule(seconds=st.sampled_from([1, 61, 3600]))
    def time_passes(self, seconds: int) -> None:
        self.seconds += seconds

    @rule(data=st.data(), resend=st.booleans())
    def a_worker_claims(self, data: st.DataObject, resend: bool) -> None:
        batches = self.scene.batches(self.send_id)
        if not batches:
            return
        claim = self.scene.try_claim(data.draw(st.sampled_from(batches)), at=self.now)
        if claim is None:
            return
        self.claims.append(claim)
        with self.scene.ledger.write() as c:
            settled = orphans.settle(c, claim, None, resend=resend, worker="sweeper", at=self.now)
        self.tries += settled

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def a_worker_takes(self, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from(self.claims))
        for pending in self.scene.due(claim, at=self.now)[:1]:
            if pending.skip is None:
                self.scene.take(claim, pending.id, at=self.now)

    @precondition(lambda self: self.claims and self.intended)
    @rule(data=st.data(), state=st.sampled_from(["sent", "retrying", "failed", "unknown"]))
    def a_worker_reports(self, data: st.DataObject, state: str) -> None:
        claim = data.draw(st.sampled_from(self.claims))
        rows = self.scene.deliveries(self.send_id)
        tried = [row.id for row in rows if row.batch_id == claim.batch_id and row.attempts]
        if not tried:
            return
        outcome = DeliveryState(state)
        wait = later(self.seconds + 60) if outcome is DeliveryState.RETRYING else None
        change = Change(outcome, 1, next_attempt_at=wait)
        self.scene.record(claim, data.draw(st.sampled_from(tried)), change, at=self.now)
        self.tries += 1

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def a_worker_gives_back(self, data: st.DataObject) -> None:
        self.scene.release(data.draw(st.sampled_from(self.claims)), at=self.now)

    @precondition(lambda self: self.intended)
    @rule(data=st.data())
    def somebody_is_skipped(self, data: st.DataObject) -> None:
        row = data.draw(st.sampled_from(self.scene.deliveries(self.send_id)))
        with self.scene.ledger.write() as c:
            deliveries.skip(c, row.id, "unsubscribed", self.now)

    @rule()
    def an_operator_pauses_or_resumes(self) -> None:
        other = {SendState.SENDING: SendState.PAUSED, SendState.PAUSED: SendState.SENDING}
        state = self.scene.send_state(self.send_id)
        if state in other:
            self.scene.set_state(self.send_id, other[state])

    @rule()
    def the_sweeper_closes(self) -> None:
        with self.scene.ledger.write() as c:
            deliveries.expire(c, self.now)
            sends.close_if_done(c, self.send_id, self.now)

    @rule()
    def the_deadline_comes(self) -> None:
        self.seconds = max(self.seconds, int((DEADLINE - AT).total_seconds()))

    @invariant()
    def the_books_add_up(self) -> None:
        told = self.scene.books(self.send_id)
        assert told.intended == self.intended
        assert told.balanced
        counted = Counter(row.state for row in self.scene.deliveries(self.send_id))
        assert counted == Counter(told.counts)

    @invariant()
    def a_finished_send_has_nothing_open(self) -> None:
        if self.scene.send_state(self.send_id) is SendState.FINISHED:
            assert self.scene.books(self.send_id).open == 0

    @invariant()
    def what_has_ended_stays_so(self) -> None:
        rows = {row.id: row.state for row in self.scene.deliveries(self.send_id)}
        assert all(rows[delivery] is state for delivery, state in self.ended.items())
        self.ended = {row: state for row, state in rows.items() if state in ENDED}

    @invariant()
    def what_waits_or_is_in_flight_is_found_again(self) -> None:
        """No batch with an open delivery is forgotten: it is leased, or due some time."""
        for row in self.scene.deliveries(self.send_id):
            if row.state in OPEN_STATES:
                assert self.scene.batch(row.batch_id).due_at is not None

    @invariant()
    def no_try_is_missing_from_the_log(self) -> None:
        rows = self.scene.deliveries(self.send_id)
        assert sum(len(self.scene.attempts(row.id)) for row in rows) == self.tries

    @property
    def now(self) -> datetime:
        return later(self.seconds)


@pytest.mark.slow
def test_they_add_up_whatever_happens(ledger: Ledger) -> None:
    class SendingHere(Sending):
        def __init__(self) -> None:
            super().__init__(ledger)

    run_state_machine_as_test(
        SendingHere,
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
