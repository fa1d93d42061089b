from __future__ import annotations

from collections.abc import Collection

import pytest
import sqlalchemy as sa

from distributor.ledger import log, tables
from distributor.ledger.deliveries import Change
from distributor.ledger.log import Entry, Reason, SubscriberQuery
from distributor.ledger.states import DeliveryState
from tests.ledger.scene import Scene, later


def entries(
    scene: Scene,
    send_id: int,
    *,
    state: DeliveryState | None = None,
    subscriber: str | None = None,
    readings: Collection[tuple[str, str]] = (),
) -> list[Entry]:
    with scene.ledger.read() as c:
        wanted = None if subscriber is None else SubscriberQuery(subscriber, readings)
        return list(log.entries(c, send_id, state=state, subscriber=wanted))


@pytest.fixture
def send_id(scene: Scene) -> int:
    """One recipient was refused and then accepted, one refused for good, one never tried."""
    send_id = scene.sending("a@example.com", "b@example.com", "c@example.com")
    claim = scene.claim_first(send_id)
    first, second, _ = (pending.id for pending in scene.due(claim))
    scene.take(claim, first)
    scene.record(claim, first, Change(DeliveryState.RETRYING, 1, later(60)), code="451")
    scene.take(claim, first, at=later(60))
    scene.record(claim, first, Change(DeliveryState.SENT, 2), message_id="<1@x>", at=later(60))
    scene.take(claim, second)
    scene.record(claim, second, Change(DeliveryState.FAILED, 1), code="550")
    return send_id


class TestTheDeliveryLog:
    def test_has_every_try_in_order_of_recipients(self, scene: Scene, send_id: int) -> None:
        told = [(one.address, one.attempt, one.outcome) for one in entries(scene, send_id)]
        assert told == [
            ("a@example.com", 1, DeliveryState.RETRYING),
            ("a@example.com", 2, DeliveryState.SENT),
            ("b@example.com", 1, DeliveryState.FAILED),
            ("c@example.com", None, DeliveryState.QUEUED),
        ]

    def test_tells_of_a_try_what_is_known(self, scene: Scene, send_id: int) -> None:
        accepted = entries(scene, send_id)[1]
        assert (accepted.state, accepted.part, accepted.at, accepted.code, accepted.reply) == (
            DeliveryState.SENT,
            1,
            later(60),
            "250",
            "the platform says 250",
        )
        assert (accepted.message_id, accepted.worker, accepted.duration_ms) == (
            "<1@x>",
            "worker-1",
            12,
        )

    def test_tells_why_a_recipient_was_never_tried(self, scene: Scene) -> None:
        scene.suppress("dead@example.com", reason="address-dead")
        (entry,) = entries(scene, scene.sending("dead@example.com"))
        assert (entry.outcome, entry.code, entry.reply, entry.part, entry.worker) == (
            DeliveryState.SKIPPED,
            "suppressed",
            "address-dead",
            None,
            None,
        )

    def test_has_nothing_of_other_sends(self, scene: Scene, send_id: int) -> None:
        other = scene.sending("d@example.com", name="weekly")
        assert [one.address for one in entries(scene, other)] == ["d@example.com"]
        assert "d@example.com" not in [one.address for one in entries(scene, send_id)]

    def test_of_one_state(self, scene: Scene, send_id: int) -> None:
        failed = entries(scene, send_id, state=DeliveryState.FAILED)
        assert [one.address for one in failed] == ["b@example.com"]

    def test_of_one_address(self, scene: Scene, send_id: int) -> None:
        assert len(entries(scene, send_id, subscriber="a@example.com")) == 2

    def test_of_one_subscriber_by_number(self, scene: Scene, send_id: int) -> None:
        second = scene.deliveries(send_id)[1].subscriber_id
        found = entries(scene, send_id, subscriber=str(second))
        assert [one.address for one in found] == ["b@example.com"]

    def test_of_an_address_that_was_written_in_another_way(
        self, scene: Scene, send_id: int
    ) -> None:
        readings = [("telegram", "@a"), ("email", "a@example.com")]
        assert len(entries(scene, send_id, subscriber="A@Example.com", readings=readings)) == 2

    def test_an_address_of_another_channel_is_not_meant(self, scene: Scene, send_id: int) -> None:
        readings = [("telegram", "a@example.com")]
        assert entries(scene, send_id, subscriber="telegram:…", readings=readings) == []

    @pytest.mark.parametrize("unknown", ["nobody@example.com", "12345", "9" * 40, ""])
    def test_of_somebody_who_got_none(self, scene: Scene, send_id: int, unknown: str) -> None:
        assert entries(scene, send_id, subscriber=unknown) == []

    @pytest.mark.parametrize("state", list(DeliveryState))
    def test_finds_each_state_by_itself(self, scene: Scene, state: DeliveryState) -> None:
        first, second = scene.deliveries(scene.sending("a@example.com", "b@example.com"))
        with scene.ledger.write() as c:
            ours = tables.deliveries.c.id == first.id
            c.execute(sa.update(tables.deliveries).where(ours).values(state=state))
        found = {one.delivery for one in entries(scene, first.send_id, state=state)}
        assert found - {second.id} == {first.id}


class TestReasons:
    def test_come_with_an_example_the_most_frequent_first(self, scene: Scene) -> None:
        send_id = scene.sending("a@example.com", "b@example.com", "c@example.com")
        claim = scene.claim_first(send_id)
        for code in ("552", "550", "550"):
            taken = scene.take_first(claim)
            scene.record(claim, taken, Change(DeliveryState.FAILED, 1), code=code)
        with scene.ledger.read() as c:
            assert log.reasons(c, send_id, DeliveryState.FAILED) == tuple(
                Reason("email", DeliveryState.FAILED, code, f"the platform says {code}", number)
                for code, number in (("550", 2), ("552", 1))
            )

    def test_are_of_the_states_that_were_asked_for(self, scene: Scene, send_id: int) -> None:
        with scene.ledger.read() as c:
            told = log.reasons(c, send_id, DeliveryState.FAILED, DeliveryState.SENT)
        assert [(one.state, one.number) for one in told] == [
            (DeliveryState.SENT, 1),
            (DeliveryState.FAILED, 1),
        ]
