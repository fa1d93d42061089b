"""What stands still although it could move, asked on both databases."""

from __future__ import annotations

import pytest

from distributor.ledger import batches, breakers, sends, standstills, steering
from distributor.ledger.deliveries import Change
from distributor.ledger.standstills import Standstill
from distributor.ledger.states import DeliveryState, SendState
from tests.ledger.scene import AT, DEADLINE, LEASE, Scene, later

LONG = standstills.PATIENCE.total_seconds() + 1
PLANNING = 181
LEASE_SECONDS = LEASE.total_seconds()


@pytest.fixture
def send_id(scene: Scene) -> int:
    """A send of two batches, due since `AT`."""
    return scene.sending("a@example.com", "b@example.com", batch_size=1)


def found(scene: Scene, seconds: float) -> tuple[Standstill, ...]:
    with scene.ledger.read() as c:
        return standstills.all_(c, later(seconds))


def has_moved(scene: Scene, send_id: int, since: float) -> bool:
    with scene.ledger.read() as c:
        return standstills.has_moved(c, send_id, later(since))


class TestBatchesThatNobodyTakes:
    def test_are_a_standstill_when_they_have_been_due_for_long(
        self, scene: Scene, send_id: int
    ) -> None:
        assert found(scene, LONG - 2) == ()
        assert found(scene, LONG) == (Standstill(send_id, "email", AT),)

    def test_wait_their_turn_while_a_worker_has_another_one(
        self, scene: Scene, send_id: int
    ) -> None:
        scene.claim_first(send_id)
        assert found(scene, LONG) == ()

    def test_wait_their_turn_while_messages_of_their_channel_are_tried(
        self, scene: Scene, send_id: int
    ) -> None:
        claim = scene.claim_first(send_id, at=later(LONG))
        scene.deliver(claim, at=later(LONG))
        scene.release(claim, at=later(LONG))
        assert found(scene, LONG + 1) == ()
        assert found(scene, LONG * 2 + 1) == (Standstill(send_id, "email", AT),)

    def test_are_free_since_the_lease_of_a_lost_worker_ended(
        self, scene: Scene, send_id: int
    ) -> None:
        for batch_id in scene.batches(send_id):
            scene.claim(batch_id)
        assert found(scene, LEASE_SECONDS + LONG - 2) == ()
        (standstill,) = found(scene, LEASE_SECONDS + LONG)
        assert standstill.since == AT + LEASE

    @pytest.mark.usefixtures("send_id")
    def test_are_explained_by_a_full_bucket(self, scene: Scene) -> None:
        with scene.ledger.write() as c:
            batches.rest(c, "main", later(LONG * 10))
        assert found(scene, LONG) == ()

    @pytest.mark.usefixtures("send_id")
    def test_are_explained_by_an_account_that_rests(self, scene: Scene) -> None:
        with scene.ledger.write() as c:
            breakers.open_(c, "main", code="smtp-535", reply="no", at=AT)
        assert found(scene, LONG) == ()

    def test_are_not_explained_by_an_account_whose_rest_is_over_for_long(
        self, scene: Scene, send_id: int
    ) -> None:
        with scene.ledger.write() as c:
            breaker = breakers.open_(c, "main", code="smtp-lost", reply="", at=AT)
        rested = (breaker.open_until - AT).total_seconds()
        assert found(scene, rested + LONG - 2) == ()
        (standstill,) = found(scene, rested + LONG)
        assert standstill.send_id == send_id

    def test_have_not_waited_during_a_pause(self, scene: Scene, send_id: int) -> None:
        again = Change(DeliveryState.RETRYING, 1, next_attempt_at=later(60))
        for batch_id in scene.batches(send_id):
            claim = scene.claim(batch_id)
            scene.record(claim, scene.take_first(claim), again)
            scene.release(claim)
        with scene.ledger.write() as c:
            steering.pause(c, send_id)
        with scene.ledger.write() as c:
            steering.resume(c, send_id, later(7200))
        assert found(scene, 7200 + LONG - 2) == ()
        assert found(scene, 7200 + LONG) == (Standstill(send_id, "email", later(7200)),)

    @pytest.mark.parametrize("state", [SendState.PAUSED, SendState.CANCELED])
    def test_are_explained_by_a_person(self, scene: Scene, send_id: int, state: SendState) -> None:
        scene.set_state(send_id, state)
        assert found(scene, LONG) == ()


class TestAScheduledSend:
    def test_that_has_not_begun_in_time_stands_still(self, scene: Scene) -> None:
        list_id = scene.mailing_list("daily")
        send_id = scene.create(list_id, state=SendState.SCHEDULED, scheduled_for=later(60))
        assert found(scene, 69) == ()
        assert found(scene, 71) == (Standstill(send_id, None, later(60)),)

    def test_that_was_canceled_does_not(self, scene: Scene) -> None:
        list_id = scene.mailing_list("daily")
        scene.create(list_id, state=SendState.CANCELED, scheduled_for=later(60))
        assert found(scene, 3600) == ()


class TestASendInPreparation:
    """Its planner may take a while, and a plan that fails is tried again for ever."""

    def test_that_is_not_planned_within_minutes_stands_still(self, scene: Scene) -> None:
        send_id = scene.create(scene.mailing_list("daily"))
        assert found(scene, PLANNING - 2) == ()
        assert found(scene, PLANNING) == (Standstill(send_id, None, AT),)

    def test_that_is_planned_does_not(self, scene: Scene) -> None:
        send_id = scene.create(scene.mailing_list("daily"))
        scene.freeze(send_id)
        assert found(scene, PLANNING) == ()

    def test_has_been_in_it_since_its_time_came(self, scene: Scene) -> None:
        list_id = scene.mailing_list("daily")
        send_id = scene.create(list_id, state=SendState.SCHEDULED, scheduled_for=later(7200))
        with scene.ledger.write() as c:
            sends.release_scheduled(c, later(7205))
        assert found(scene, 7205 + PLANNING - 2) == ()
        assert found(scene, 7205 + PLANNING) == (Standstill(send_id, None, later(7205)),)

    def test_has_been_in_it_since_it_was_approved(self, scene: Scene) -> None:
        send_id = scene.create(scene.mailing_list("daily"), state=SendState.DRAFT)
        with scene.ledger.write() as c:
            steering.approve(c, send_id, later(7200), DEADLINE)
        assert found(scene, 7200 + PLANNING - 2) == ()
        assert found(scene, 7200 + PLANNING) == (Standstill(send_id, None, later(7200)),)

    def test_has_been_in_it_since_it_was_resumed(self, scene: Scene) -> None:
        send_id = scene.create(scene.mailing_list("daily"))
        with scene.ledger.write() as c:
            steering.pause(c, send_id)
            steering.resume(c, send_id, later(7200))
        assert found(scene, 7200 + PLANNING - 2) == ()
        assert found(scene, 7200 + PLANNING) == (Standstill(send_id, None, later(7200)),)


class TestMovement:
    def test_is_a_try_at_a_message_of_the_send(self, scene: Scene, send_id: int) -> None:
        other = scene.sending("c@example.com", name="weekly")
        assert not has_moved(scene, send_id, since=0)
        scene.deliver(scene.claim_first(send_id, at=later(5)), at=later(5))
        assert has_moved(scene, send_id, since=5)
        assert not has_moved(scene, send_id, since=6)
        assert not has_moved(scene, other, since=0)

    def test_is_supposed_where_others_try_more_than_one_look_reads(
        self, scene: Scene, send_id: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(standstills, "_NEWEST", 1)
        other = scene.sending("c@example.com", name="weekly")
        scene.deliver(scene.claim_first(other, at=later(5)), at=later(5))
        assert has_moved(scene, send_id, since=5)
        assert not has_moved(scene, send_id, since=6)
