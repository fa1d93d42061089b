"""Circuit breakers: one an account, open while the account cannot send."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.database import insert_or_ignore
from distributor.ledger.tables import breakers

#: How long a breaker stays open the first time; each time after that twice as long.
FIRST_REST = timedelta(seconds=5)
_LONGEST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Breaker:
    account: str
    code: str
    reply: str
    opened_at: datetime
    open_until: datetime
    times: int


def find(connection: Connection, account: str) -> Breaker | None:
    """The account's breaker; None when it is closed."""
    query = sa.select(breakers).where(breakers.c.account == account)
    row = connection.execute(query).mappings().one_or_none()
    return Breaker(**row) if row else None


def all_open(connection: Connection) -> tuple[Breaker, ...]:
    """Every breaker that is not closed, by account."""
    rows = connection.execute(sa.select(breakers).order_by(breakers.c.account)).mappings()
    return tuple(Breaker(**row) for row in rows)


def open_(connection: Connection, account: str, *, code: str, reply: str, at: datetime) -> datetime:
    """Open the breaker, or open it again for longer; returns until when nothing is tried.

    Workers that fail together while it is open do not make it longer.
    """
    row = {
        "account": account,
        "code": code,
        "reply": reply,
        "opened_at": at,
        "open_until": at,
        "times": 0,
    }
    insert_or_ignore(connection, breakers, [row], "account")
    found = connection.execute(
        sa.select(breakers.c.times, breakers.c.open_until)
        .where(breakers.c.account == account)
        .with_for_update()
    ).one()
    if found.times and found.open_until > at:
        still: datetime = found.open_until
        return still
    open_until: datetime = at + min(FIRST_REST * 2 ** min(found.times, 16), _LONGEST)
    connection.execute(
        sa.update(breakers)
        .where(breakers.c.account == account)
        .values(code=code, reply=reply, open_until=open_until, times=found.times + 1)
    )
    return open_until


def close(connection: Connection, account: str) -> bool:
    """A message got through; returns whether the breaker was open."""
    closed = connection.execute(sa.delete(breakers).where(breakers.c.account == account))
    return closed.rowcount == 1
