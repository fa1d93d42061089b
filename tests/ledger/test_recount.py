"""The books recomputed from the delivery log: they agree, unless something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from distributor.ledger import books, decisions, deliveries, orphans, recount, steering, tables
from distributor.ledger.attempts import RESOLVED_RESEND, RESOLVED_SENT, RETRY
from distributor.ledger.batches import Claim
from distributor.ledger.decisions import Decision, Selection
from distributor.ledger.deliveries import Change
from distributor.ledger.states import DeliveryState
from tests.ledger.scene import AT, DEADLINE, LEASE, Scene, later

SENT = Change(DeliveryState.SENT, 1)
FAILED = Change(DeliveryState.FAILED, 1)
UNKNOWN = Change(DeliveryState.UNKNOWN, 1)
RETRYING = Change(DeliveryState.RETRYING, 1, next_attempt_at=later(600))
NEXT_PART = Change(DeliveryState.SENDING, 1)


class Story:
    """A delivery of two parts, and what may happen to it."""

    def __init__(self, scene: Scene, claim: Claim, delivery_id: int) -> None:
        self.scene = scene
        self.claim = claim
        self.id = delivery_id

    def try_(self, change: Change, outcome: DeliveryState | None = None, part: int = 1) -> None:
        assert self.scene.take(self.claim, self.id, at=later(600))
        self.scene.record(self.claim, self.id, change, outcome=outcome, part=part, code="451")

    def nothing_yet(self) -> None:
        pass

    def all_parts_accepted(self) -> None:
        self.first_part_accepted()
        self.scene.record(self.claim, self.id, SENT, part=2)

    def first_part_accepted(self) -> None:
        assert self.scene.take(self.claim, self.id)
        self.scene.record(self.claim, self.id, NEXT_PART, outcome=DeliveryState.SENT)

    def second_part_refused(self) -> None:
        self.first_part_accepted()
        self.scene.record(self.claim, self.id, FAILED, part=2)

    def refused(self) -> None:
        self.try_(FAILED)

    def refused_for_now(self) -> None:
        self.try_(RETRYING)

    def given_up_after_many_tries(self) -> None:
        self.try_(RETRYING)
        self.try_(FAILED, outcome=DeliveryState.RETRYING)

    def in_doubt(self) -> None:
        self.try_(UNKNOWN)

    def in_doubt_and_to_be_sent_again(self) -> None:
        self.try_(RETRYING, outcome=DeliveryState.UNKNOWN)

    def in_doubt_and_the_copy_refused(self) -> None:
        self.in_doubt_and_to_be_sent_again()
        self.try_(FAILED)

    def in_doubt_and_the_copy_refused_for_now(self) -> None:
        self.in_doubt_and_to_be_sent_again()
        self.try_(RETRYING)

    def in_flight(self) -> None:
        assert self.scene.take(self.claim, self.id)

    def skipped(self) -> None:
        with self.scene.ledger.write() as c:
            deliveries.skip(c, self.id, "unsubscribed", AT)

    def skipped_after_a_try(self) -> None:
        self.refused_for_now()
        self.skipped()

    def bounced(self) -> None:
        self.all_parts_accepted()
        self.overwrite(DeliveryState.BOUNCED)

    def overwrite(self, state: DeliveryState) -> None:
        with self.scene.ledger.write() as c:
            row = tables.deliveries.c.id == self.id
            c.execute(sa.update(tables.deliveries).where(row).values(state=state))


STORIES: list[Callable[[Story], None]] = [
    Story.nothing_yet,
    Story.all_parts_accepted,
    Story.first_part_accepted,
    Story.second_part_refused,
    Story.refused,
    Story.refused_for_now,
    Story.given_up_after_many_tries,
    Story.in_doubt,
    Story.in_doubt_and_to_be_sent_again,
    Story.in_doubt_and_the_copy_refused,
    Story.in_doubt_and_the_copy_refused_for_now,
    Story.in_flight,
    Story.skipped,
    Story.skipped_after_a_try,
    Story.bounced,
]


def nobody_interferes(_scene: Scene, _send_id: int) -> None:
    pass


def canceled(scene: Scene, send_id: int) -> None:
    with scene.ledger.write() as c:
        steering.cancel(c, send_id, AT)


def out_of_time(scene: Scene, _send_id: int) -> None:
    with scene.ledger.write() as c:
        deliveries.expire(c, DEADLINE)


def tried_again(scene: Scene, send_id: int) -> None:
    _requeue(scene, send_id, DeliveryState.FAILED, RETRY)


def sent_again(scene: Scene, send_id: int) -> None:
    _requeue(scene, send_id, DeliveryState.UNKNOWN, RESOLVED_RESEND)


def taken_as_sent(scene: Scene, send_id: int) -> None:
    decision = Decision(RESOLVED_SENT, "kim", AT)
    with scene.ledger.write() as c:
        send = steering.lock(c, send_id)
        assert send is not None
        decisions.resolve_as_sent(c, send, Selection(), decision)


def tried_again_and_canceled(scene: Scene, send_id: int) -> None:
    tried_again(scene, send_id)
    sent_again(scene, send_id)
    canceled(scene, send_id)


def worker_lost(scene: Scene, send_id: int) -> None:
    claim = scene.try_claim(scene.batches(send_id)[0], at=AT + LEASE * 2)
    assert claim is not None
    with scene.ledger.write() as c:
        orphans.settle(c, claim, None, resend=False, worker="worker-2", at=AT)


def _requeue(scene: Scene, send_id: int, state: DeliveryState, code: str) -> None:
    with scene.ledger.write() as c:
        decisions.requeue(c, send_id, state, Selection(), Decision(code, "kim", AT))


ENDINGS = [
    nobody_interferes,
    canceled,
    out_of_time,
    tried_again,
    sent_again,
    taken_as_sent,
    tried_again_and_canceled,
    worker_lost,
]


def played(scene: Scene, *stories: Callable[[Story], None]) -> int:
    """A send with one delivery for each story; returns its id."""
    addresses = [f"{number}@example.com" for number in range(len(stories))]
    send_id = scene.sending(*addresses, name=uuid4().hex)
    claim = scene.claim_first(send_id)
    for story, row in zip(stories, scene.deliveries(send_id), strict=True):
        story(Story(scene, claim, row.id))
    return send_id


def told(scene: Scene, send_id: int) -> dict[DeliveryState, int]:
    with scene.ledger.read() as c:
        return recount.by_channel(c, send_id).get("email", {})


def counted(scene: Scene, send_id: int) -> dict[DeliveryState, int]:
    with scene.ledger.read() as c:
        return dict(books.of_send(c, send_id).total.counts)


@pytest.mark.slow
def test_the_log_says_what_the_books_say_whatever_happened(scene: Scene) -> None:
    @settings(
        max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        stories=st.lists(st.sampled_from(STORIES), min_size=1, max_size=8),
        ending=st.sampled_from(ENDINGS),
    )
    def holds(stories: list[Callable[[Story], None]], ending: Callable[[Scene, int], None]) -> None:
        send_id = played(scene, *stories)
        ending(scene, send_id)
        assert told(scene, send_id) == counted(scene, send_id)

    holds()


def test_what_expired_was_not_refused_and_still_agrees(scene: Scene) -> None:
    send_id = played(scene, Story.nothing_yet, Story.refused_for_now)
    with scene.ledger.write() as c:
        deliveries.expire(c, DEADLINE)
    assert told(scene, send_id) == {DeliveryState.FAILED: 2}


@pytest.mark.parametrize(
    ("story", "books_say", "log_says"),
    [
        (Story.all_parts_accepted, DeliveryState.FAILED, DeliveryState.SENT),
        (Story.all_parts_accepted, DeliveryState.QUEUED, DeliveryState.SENT),
        (Story.nothing_yet, DeliveryState.SENT, DeliveryState.QUEUED),
        (Story.nothing_yet, DeliveryState.UNKNOWN, DeliveryState.QUEUED),
        (Story.nothing_yet, DeliveryState.FAILED, DeliveryState.QUEUED),
        (Story.first_part_accepted, DeliveryState.SENT, DeliveryState.SENDING),
        (Story.refused_for_now, DeliveryState.SENT, DeliveryState.RETRYING),
        (Story.refused, DeliveryState.SENT, DeliveryState.FAILED),
        (Story.refused, DeliveryState.CANCELED, DeliveryState.FAILED),
        (Story.in_doubt, DeliveryState.SENT, DeliveryState.UNKNOWN),
        (Story.in_doubt, DeliveryState.FAILED, DeliveryState.UNKNOWN),
        (Story.in_doubt, DeliveryState.SKIPPED, DeliveryState.UNKNOWN),
    ],
)
def test_books_that_are_wrong_are_contradicted(
    scene: Scene,
    story: Callable[[Story], None],
    books_say: DeliveryState,
    log_says: DeliveryState,
) -> None:
    def falsified(one: Story) -> None:
        story(one)
        one.overwrite(books_say)

    send_id = played(scene, falsified)
    assert told(scene, send_id) == {log_says: 1}


def test_what_may_have_arrived_has_not_expired(scene: Scene) -> None:
    send_id = played(scene, Story.in_doubt_and_to_be_sent_again)
    with scene.ledger.write() as c:
        deliveries.expire(c, DEADLINE)
    assert told(scene, send_id) == {DeliveryState.UNKNOWN: 1}


def test_a_send_that_was_not_planned_has_nothing_to_count(scene: Scene) -> None:
    send_id = scene.create(scene.mailing_list("daily"))
    assert told(scene, send_id) == {}


def test_tries_are_counted_with_the_first_and_the_last(scene: Scene) -> None:
    send_id = scene.sending("a@example.com", "b@example.com")
    claim = scene.claim_first(send_id)
    for minute in (1, 2):
        delivery_id = scene.take_first(claim)
        scene.record(claim, delivery_id, FAILED, at=later(minute * 60))
    with scene.ledger.read() as c:
        tries = recount.tries(c, send_id)["email"]
    assert (tries.number, tries.first_at, tries.last_at) == (2, later(60), later(120))


def test_an_operators_decision_is_no_try(scene: Scene) -> None:
    send_id = played(scene, Story.in_doubt)
    taken_as_sent(scene, send_id)
    with scene.ledger.read() as c:
        assert recount.tries(c, send_id)["email"].number == 1
