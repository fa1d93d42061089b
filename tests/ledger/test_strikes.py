"""A full mailbox counts against an address only when it comes again."""

from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa

from distributor.ledger import strikes, tables
from distributor.ledger.database import Ledger
from distributor.ledger.strikes import LIMITS
from distributor.suppression import SuppressionReason
from tests.ledger.scene import AT, Scene

LIMIT = LIMITS[SuppressionReason.MAILBOX_FULL]
READER = "reader@example.net"


@pytest.fixture
def scene(ledger: Ledger) -> Scene:
    return Scene(ledger)


def full(scene: Scene, send_id: int, at: datetime = AT, address: str = READER) -> bool:
    with scene.ledger.write() as c:
        return strikes.add(
            c, "email", address, SuppressionReason.MAILBOX_FULL, send_id=send_id, at=at
        )


def sends(scene: Scene) -> list[int]:
    daily = scene.mailing_list("daily")
    return [scene.create(daily, again=True) for _ in range(LIMIT.sends)]


def test_it_takes_so_many_sends_to_suppress(scene: Scene) -> None:
    *before, last = sends(scene)

    assert not any(full(scene, send_id) for send_id in before)
    assert full(scene, last)


def test_attempts_of_one_send_count_once(scene: Scene) -> None:
    first, *_ = sends(scene)

    assert not any(full(scene, first) for _ in range(LIMIT.sends))


def test_strikes_of_long_ago_do_not_count(scene: Scene) -> None:
    *before, last = sends(scene)
    for send_id in before:
        full(scene, send_id)

    assert not full(scene, last, at=AT + LIMIT.within)


def test_each_address_has_its_own(scene: Scene) -> None:
    *before, last = sends(scene)
    for send_id in before:
        full(scene, send_id)

    assert not full(scene, last, address="other@example.net")


def kept(scene: Scene) -> int:
    with scene.ledger.read() as c:
        return c.execute(sa.select(sa.func.count()).select_from(tables.strikes)).scalar_one()


def test_those_of_a_send_that_arrived_after_all_are_taken_back(scene: Scene) -> None:
    first, second, *_ = sends(scene)
    for send_id in (first, second):
        full(scene, send_id)
        full(scene, send_id, address="other@example.net")

    with scene.ledger.write() as c:
        strikes.take_back(c, "email", [READER], send_id=first)

    assert kept(scene) == 3


def test_nobody_asks_for_strikes_of_those_who_got_it_at_once(scene: Scene) -> None:
    claim = scene.claim_first(scene.sending(READER))
    asked: list[str] = []

    @sa.event.listens_for(scene.ledger.engine, "before_cursor_execute")
    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    scene.deliver(claim)
    sa.event.remove(scene.ledger.engine, "before_cursor_execute", note)

    assert asked
    assert not [statement for statement in asked if "strikes" in statement]


def test_a_dead_address_needs_one_only(scene: Scene) -> None:
    with scene.ledger.write() as c:
        assert strikes.add(c, "email", READER, SuppressionReason.ADDRESS_DEAD, send_id=1, at=AT)
