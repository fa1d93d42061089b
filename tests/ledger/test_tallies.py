"""The tallies say what counting the deliveries would say, on PostgreSQL too."""

from __future__ import annotations

import sqlalchemy as sa

from distributor.ledger import books, log, tables, tallies
from distributor.ledger.deliveries import Change
from distributor.ledger.states import DeliveryState
from tests.ledger.scene import Scene, later


def a_send_with_a_bit_of_everything(scene: Scene) -> int:
    scene.suppress("dead@example.com")
    names = ("dead", "sent", "failed", "retrying", "unknown", "queued", "queued-too")
    send_id = scene.sending(*(f"{name}@example.com" for name in names))
    claim = scene.claim_first(send_id)
    for state in (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNKNOWN):
        scene.record(claim, scene.take_first(claim), Change(state, 1), code=f"code-{state}")
    retrying = Change(DeliveryState.RETRYING, 1, next_attempt_at=later(600))
    scene.record(claim, scene.take_first(claim), retrying, code="451")
    return send_id


def rows(scene: Scene) -> int:
    with scene.ledger.read() as c:
        return c.scalar(sa.select(sa.func.count()).select_from(tables.tallies)) or 0


def test_they_agree_with_the_deliveries(scene: Scene) -> None:
    send_id = a_send_with_a_bit_of_everything(scene)
    assert scene.books(send_id).balanced
    with scene.ledger.read() as c:
        quick, exact = books.of_send(c, send_id), books.of_send(c, send_id, exact=True)
        explained = (DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.RETRYING)
        assert quick == exact
        assert log.reasons(c, send_id, *explained) == log.reasons(
            c, send_id, *explained, exact=True
        )


def test_accounts_of_one_channel_are_tallied_once(scene: Scene) -> None:
    daily = scene.mailing_list("daily")
    scene.subscribe("main@example.com", "daily")
    other = scene.subscribe("other@example.com", "daily")
    subscriber = tables.subscribers
    with scene.ledger.write() as c:
        c.execute(sa.update(subscriber).where(subscriber.c.id == other).values(account="second"))
    send_id = scene.create(daily)
    assert scene.freeze(send_id) == 2
    assert scene.books(send_id)[DeliveryState.QUEUED] == 2


def test_adding_them_up_changes_no_sum(scene: Scene) -> None:
    send_id = scene.sending(*(f"{number}@example.com" for number in range(300)))
    claim = scene.claim_first(send_id)
    for pending in scene.due(claim)[:50]:
        assert scene.take(claim, pending.id)
    before, crowded = scene.books(send_id), rows(scene)
    with scene.ledger.write() as c:
        tallies.add_up(c, many=10)
    assert scene.books(send_id) == before
    assert rows(scene) <= min(crowded, 3)
