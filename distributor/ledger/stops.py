"""Stops: groups of addresses that wait on an account, since they refuse us for our own fault.

As with an account's circuit breaker, what waits is tried again from time to time: one refusal
more and the rest gets longer, one acceptance and the stop is lifted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

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
    query = sa.select(stops).where(stops.c.account == account)
    return tuple(Stop(**row) for row in connection.execute(query).mappings())


def all_(connection: Connection) -> tuple[Stop, ...]:
    """Every group that waits, by account."""
    query = sa.select(stops).order_by(stops.c.account, stops.c.ending)
    return tuple(Stop(**row) for row in connection.execute(query).mappings())


def open_(
    connection: Connection, account: str, ending: str, *, code: str, reply: str, at: datetime
) -> Stop:
    """Let a group wait, or wait again for longer; refusals while it waits change nothing."""
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
    this = sa.and_(stops.c.account == account, stops.c.ending == ending)
    found = Stop(
        **connection.execute(sa.select(stops).where(this).with_for_update()).mappings().one()
    )
    if found.times and found.open_until > at:
        return found
    rest = min(FIRST_REST * 2 ** min(found.times, 16), _LONGEST)
    connection.execute(
        sa.update(stops)
        .where(this)
        .values(code=code, reply=reply, open_until=at + rest, times=found.times + 1)
    )
    return Stop(account, ending, code, reply, found.opened_at, at + rest, found.times + 1)


def try_now(connection: Connection, send_id: int, at: datetime) -> None:
    """Let the groups on a send's accounts be tried again at once, since an operator wants it."""
    accounts = sa.select(batches.c.account).where(batches.c.send_id == send_id)
    connection.execute(
        sa.update(stops)
        .where(stops.c.account.in_(accounts), stops.c.open_until > at)
        .values(open_until=at)
    )


def lift(connection: Connection, account: str, ending: str) -> bool:
    """The group takes mail again; returns whether it was stopped."""
    lifted = connection.execute(
        sa.delete(stops).where(stops.c.account == account, stops.c.ending == ending)
    )
    return lifted.rowcount == 1
