"""What may have arrived is never called failed, skipped or canceled; on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from distributor.ledger import books, decisions, deliveries, orphans, recount, sends
from distributor.ledger.attempts import RESOLVED_RESEND
from distributor.ledger.batches import Claim
from distributor.ledger.decisions import Decision
from distributor.ledger.deliveries import Change
from distributor.ledger.sends import Audience
from distributor.ledger.states import DeliveryState
from tests.ledger.desk import ALL, FAILED, FIRST_PART_SENT, NOW, RETRYING, UNKNOWN, Desk
from tests.ledger.scene import DEADLINE, later

SENT = Change(DeliveryState.SENT, 2)
LOST = "smtp-lost-after-data"


def in_doubt_by_policy(desk: Desk) -> int:
    """Its first try may have arrived, and its account wants it to be sent again."""
    return desk.end_next(RETRYING, outcome=DeliveryState.UNKNOWN, code=LOST)


def in_doubt_and_refused_since(desk: Desk) -> int:
    delivery_id = in_doubt_by_policy(desk)
    assert desk.scene.take(desk.claim, delivery_id, at=later(600))
    desk.scene.record(desk.claim, delivery_id, RETRYING, code="451")
    return delivery_id


def in_doubt_by_an_operator(desk: Desk) -> int:
    """An operator wants what may have arrived to be sent again."""
    delivery_id = desk.end_next(UNKNOWN, code=LOST)
    decision = Decision(RESOLVED_RESEND, "kim: send it again", NOW)
    with desk.scene.ledger.write() as c:
        assert decisions.requeue(c, desk.send_id, DeliveryState.UNKNOWN, ALL, decision) == 1
    return delivery_id


DOUBTS = [in_doubt_by_policy, in_doubt_and_refused_since, in_doubt_by_an_operator]


def told(desk: Desk) -> dict[DeliveryState, int]:
    with desk.scene.ledger.read() as c:
        return recount.by_channel(c, desk.send_id)["email"]


def canceled(desk: Desk, _delivery_id: int) -> None:
    desk.cancel()


def expired(desk: Desk, _delivery_id: int) -> None:
    with desk.scene.ledger.write() as c:
        deliveries.expire(c, DEADLINE)


def skipped(desk: Desk, delivery_id: int) -> None:
    with desk.scene.ledger.write() as c:
        deliveries.skip(c, delivery_id, "unsubscribed", NOW)


def refused(desk: Desk, delivery_id: int) -> None:
    assert desk.scene.take(desk.claim, delivery_id, at=later(600))
    desk.scene.record(desk.claim, delivery_id, FAILED, code="550")


@pytest.mark.parametrize("end", [canceled, expired, skipped, refused])
@pytest.mark.parametrize("doubt", DOUBTS)
def test_it_ends_as_unknown_with_what_made_it_so(
    desk: Desk, doubt: Callable[[Desk], int], end: Callable[[Desk, int], None]
) -> None:
    delivery_id = doubt(desk)
    end(desk, delivery_id)
    row = desk.scene.delivery(delivery_id)
    assert row.state is DeliveryState.UNKNOWN
    assert row.code in (LOST, RESOLVED_RESEND)
    assert row.next_attempt_at is None


@pytest.mark.parametrize("end", [canceled, expired, skipped, refused])
@pytest.mark.parametrize("doubt", DOUBTS)
def test_the_log_says_the_same(
    desk: Desk, doubt: Callable[[Desk], int], end: Callable[[Desk, int], None]
) -> None:
    end(desk, doubt(desk))
    with desk.scene.ledger.read() as c:
        counted = books.of_send(c, desk.send_id).total.counts
    assert told(desk) == dict(counted)


@pytest.mark.parametrize("doubt", DOUBTS)
def test_a_canceled_edition_is_not_sent_again_unasked(
    desk: Desk, doubt: Callable[[Desk], int]
) -> None:
    doubt(desk)
    desk.cancel()
    with desk.scene.ledger.read() as c:
        send = sends.find(c, desk.send_id)
        assert send is not None
        had_it = sends.already_sent(c, send.digest_id, [Audience(1, "email")])
    assert had_it


def test_a_later_copy_that_was_accepted_ends_the_doubt(desk: Desk) -> None:
    delivery_id = in_doubt_by_policy(desk)
    assert desk.scene.take(desk.claim, delivery_id, at=later(600))
    desk.scene.record(desk.claim, delivery_id, SENT)
    assert desk.scene.delivery(delivery_id).state is DeliveryState.SENT


def test_a_doubt_about_an_accepted_part_is_none_about_the_next(desk: Desk) -> None:
    delivery_id = in_doubt_by_policy(desk)
    assert desk.scene.take(desk.claim, delivery_id, at=later(600))
    desk.scene.record(desk.claim, delivery_id, FIRST_PART_SENT, outcome=DeliveryState.SENT)
    desk.scene.record(desk.claim, delivery_id, FAILED, part=2)
    assert desk.scene.delivery(delivery_id).state is DeliveryState.FAILED


def test_what_was_only_refused_for_now_is_in_no_doubt(desk: Desk) -> None:
    delivery_id = desk.end_next(RETRYING)
    desk.cancel()
    assert desk.scene.delivery(delivery_id).state is DeliveryState.CANCELED


class TestALostWorker:
    """Its batch was taken over, and its message in flight is unknown; then it speaks after all."""

    def lost(self, desk: Desk, *, resend: bool) -> tuple[int, Claim]:
        delivery_id = desk.begin_next()
        claim = desk.scene.claim(desk.claim.batch_id, worker="worker-2", at=later(120))
        with desk.scene.ledger.write() as c:
            orphans.settle(c, claim, None, resend=resend, worker="worker-2", at=later(120))
        return delivery_id, claim

    def test_its_report_ends_the_doubt(self, desk: Desk) -> None:
        delivery_id, _ = self.lost(desk, resend=False)
        desk.scene.record(desk.claim, delivery_id, Change(DeliveryState.FAILED, 1), code="550")
        assert desk.scene.delivery(delivery_id).state is DeliveryState.FAILED
        assert told(desk) == {DeliveryState.FAILED: 1, DeliveryState.QUEUED: 2}

    def test_another_workers_try_does_not(self, desk: Desk) -> None:
        delivery_id, successor = self.lost(desk, resend=True)
        assert desk.scene.take(successor, delivery_id, at=later(120))
        desk.scene.record(successor, delivery_id, Change(DeliveryState.FAILED, 2))
        assert desk.scene.delivery(delivery_id).state is DeliveryState.UNKNOWN
        assert told(desk) == {DeliveryState.UNKNOWN: 1, DeliveryState.QUEUED: 2}

    def test_nor_does_a_try_that_an_operator_asked_for(self, desk: Desk) -> None:
        delivery_id, successor = self.lost(desk, resend=False)
        decision = Decision(RESOLVED_RESEND, "kim: send it again", NOW)
        with desk.scene.ledger.write() as c:
            decisions.requeue(c, desk.send_id, DeliveryState.UNKNOWN, ALL, decision)
        assert desk.scene.take(successor, delivery_id, at=later(120))
        desk.scene.record(successor, delivery_id, Change(DeliveryState.FAILED, 1))
        assert desk.scene.delivery(delivery_id).state is DeliveryState.UNKNOWN
