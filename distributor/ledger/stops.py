"""Stops: groups of addresses that wait on an account, since they refuse us for our own fault.

As with an account's circuit breaker, one message of all workers tries again from time to time: one
refusal more and the rest gets longer, one acceptance and the stop is lifted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import deliveries
from distributor.ledger.breakers import PROBE_TIME
from distributor.ledger.database import insert_or_ignore
from distributor.ledger.tables import batches, stops

#: How long a group waits the first time; each time after that twice as long.
FIRST_REST = timedelta(minutes=1)
_LONGEST = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Stop:
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
    """Let a group wait, or wait again for longer.

    Refusals while it waits change nothing, but for that of the probe: `probe` is then what
    `claim_probe` gave.
    """
    row = {
        "account": account,
        "ending": ending,
        "code": code,
        "reply": reply,
        "opened_at": at,
        "open_until": at,
        "times": 0,
    }
    insert_or_ignore(connection, stops, [row], "account", "ending")
    this = _this(account, ending)
    (found,) = _stops(connection, sa.select(stops).where(this).with_for_update())
    if found.times and found.open_until > at and found.open_until != probe:
        return found
    open_until = at + min(FIRST_REST * 2 ** min(found.times, 16), _LONGEST)
    opened = replace(found, code=code, reply=reply, open_until=open_until, times=found.times + 1)
    connection.execute(
        sa.update(stops)
        .where(this)
        .values(code=code, reply=reply, open_until=open_until, times=opened.times)
    )
    return opened


def claim_probe(connection: Connection, account: str, ending: str, at: datetime) -> datetime | None:
    """Claim the right to send the one message that tries again; returns until when it lasts.

    None when it is not time yet, somebody else has it, or the stop is lifted.
    """
    until = at + PROBE_TIME
    claimed = connection.execute(
        sa.update(stops)
        .where(_this(account, ending), stops.c.open_until <= at)
        .values(open_until=until)
    )
    return until if claimed.rowcount == 1 else None


def give_back_probe(
    connection: Connection, account: str, ending: str, probe: datetime, at: datetime
) -> None:
    """Let another one try again at once: the message that was to do it did not leave."""
    given_back = connection.execute(
        sa.update(stops)
        .where(_this(account, ending), stops.c.open_until == probe)
        .values(open_until=at)
    )
    if given_back.rowcount == 1:
        deliveries.end_wait(connection, account, probe, at)


def try_now(connection: Connection, send_id: int, at: datetime) -> None:
    """Let the groups on a send's accounts be tried again at once, since an operator wants it."""
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
    lifted = connection.execute(
        sa.delete(stops).where(_this(account, ending)).returning(stops.c.open_until)
    ).scalar_one_or_none()
    if lifted is None:
        return False
    deliveries.end_wait(connection, account, lifted, at)
    return True


def _this(account: str, ending: str) -> sa.ColumnElement[bool]:
    return sa.and_(stops.c.account == account, stops.c.ending == ending)


def _stops(connection: Connection, query: sa.Select[Any]) -> tuple[Stop, ...]:
    return tuple(Stop(**row) for row in connection.execute(query).mappings())
