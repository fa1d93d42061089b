"""Stops: groups of addresses that wait on an account, because they refuse us for our own fault.

As with an account's circuit breaker, one message of all workers tries again from time to time: one
refusal more and the rest gets longer, one acceptance and the stop is lifted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import deliveries
from distributor.ledger.probed import Rests
from distributor.ledger.tables import batches, stops

#: How long a group waits the first time; each time after that twice as long.
FIRST_REST = timedelta(minutes=1)
_LONGEST = timedelta(minutes=30)
_RESTS = Rests(stops, ("account", "ending"), FIRST_REST, _LONGEST)


@dataclass(frozen=True, slots=True)
class Stop:
    """A group that waits."""

    account: str
    #: What the addresses end with.
    ending: str
    code: str
    reply: str
    opened_at: datetime
    open_until: datetime
    times: int


def of_account(connection: Connection, account: str) -> tuple[Stop, ...]:
    """The groups that wait, or are to be tried again now."""
    return _stops(connection, sa.select(stops).where(stops.c.account == account))


def lock(
    connection: Connection, account: str, endings: Collection[str], *, to_probe: bool = False
) -> tuple[Stop, ...]:
    """The stops of these endings as they are; none changes while this transaction lasts.

    `to_probe`: one of them is to be tried again, so no other worker gets past here meanwhile.
    """
    these = (
        sa.select(stops)
        .where(stops.c.account == account, stops.c.ending.in_(sorted(endings)))
        # Always in this order, so that two workers do not wait for each other.
        .order_by(stops.c.ending)
    )
    return _stops(connection, these.with_for_update(read=not to_probe))


def all_(connection: Connection) -> tuple[Stop, ...]:
    """Every group that waits, by account."""
    return _stops(connection, sa.select(stops).order_by(stops.c.account, stops.c.ending))


def open_(
    connection: Connection,
    account: str,
    ending: str,
    *,
    code: str,
    reply: str,
    at: datetime,
    probe: datetime | None = None,
) -> Stop:
    """Let a group wait, or wait again for longer; see `Rests.open`."""
    key = (account, ending)
    row, _ = _RESTS.open(connection, *key, code=code, reply=reply, at=at, probe=probe)
    return Stop(**row)


def claim_probe(connection: Connection, account: str, ending: str, at: datetime) -> datetime | None:
    """Claim the right to send the one message that tries again; see `Rests.claim_probe`."""
    return _RESTS.claim_probe(connection, account, ending, at=at)


def give_back_probe(
    connection: Connection, account: str, ending: str, probe: datetime, at: datetime
) -> None:
    """Let another one try again at once: the message that was to do it did not leave."""
    if _RESTS.give_back_probe(connection, account, ending, probe=probe, at=at):
        deliveries.end_wait(connection, account, probe, at)


def try_now(connection: Connection, send_id: int, at: datetime) -> None:
    """Let the groups on a send's accounts be tried again at once, because an operator wants it."""
    accounts = sa.select(batches.c.account).where(batches.c.send_id == send_id)
    waiting = (
        sa.select(stops)
        .where(stops.c.account.in_(accounts), stops.c.open_until > at)
        .order_by(stops.c.account, stops.c.ending)
        .with_for_update()
    )
    for stop in _stops(connection, waiting):
        give_back_probe(connection, stop.account, stop.ending, stop.open_until, at)


def lift(connection: Connection, account: str, ending: str, at: datetime) -> bool:
    """The group takes mail again: those who waited go on. Returns whether it was stopped."""
    lifted = _RESTS.end(connection, account, ending)
    if lifted is None:
        return False
    deliveries.end_wait(connection, account, lifted, at)
    return True


def _stops(connection: Connection, query: sa.Select[Any]) -> tuple[Stop, ...]:
    return tuple(Stop(**row) for row in connection.execute(query).mappings())
