"""Circuit breakers: one an account, open while the account cannot send.

When its time is up, one worker of all claims the probe by moving `open_until` on. The time that it
got is also what it shows to be the prober with: nobody else can have the same one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import batches
from distributor.ledger.database import insert_or_ignore
from distributor.ledger.tables import breakers

#: How long a breaker stays open the first time; each time after that twice as long.
FIRST_REST = timedelta(seconds=5)
_LONGEST = timedelta(minutes=5)
#: How long a prober has to itself. When it has not told what came of it by then, since it was
#: lost or its platform hangs, another one may probe.
PROBE_TIME = timedelta(minutes=1)


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


def find_locked(connection: Connection, account: str) -> Breaker | None:
    """As `find`; and it neither changes nor closes while this transaction lasts."""
    query = sa.select(breakers).where(breakers.c.account == account).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return Breaker(**row) if row else None


def open_(
    connection: Connection,
    account: str,
    *,
    code: str,
    reply: str,
    at: datetime,
    probe: datetime | None = None,
) -> Breaker:
    """Open the breaker, or open it again for longer; nothing is tried while it is.

    Workers that fail together while it is open do not make it longer: only the failure of the
    probe does, for which `probe` is what `claim_probe` gave.
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
    this = breakers.c.account == account
    found = Breaker(
        **connection.execute(sa.select(breakers).where(this).with_for_update()).mappings().one()
    )
    if found.times and found.open_until > at and found.open_until != probe:
        return found
    open_until = at + min(FIRST_REST * 2 ** min(found.times, 16), _LONGEST)
    opened = replace(found, code=code, reply=reply, open_until=open_until, times=found.times + 1)
    connection.execute(
        sa.update(breakers)
        .where(this)
        .values(code=code, reply=reply, open_until=open_until, times=opened.times)
    )
    batches.end_rest(connection, account, found.open_until, open_until)
    return opened


def claim_probe(connection: Connection, account: str, at: datetime) -> datetime | None:
    """Claim the right to send the one message that probes; returns until when it lasts.

    None when it is not time yet, somebody else has it, or the breaker is closed.
    """
    until = at + PROBE_TIME
    claimed = connection.execute(
        sa.update(breakers)
        .where(breakers.c.account == account, breakers.c.open_until <= at)
        .values(open_until=until)
    )
    return until if claimed.rowcount == 1 else None


def give_back_probe(connection: Connection, account: str, probe: datetime, at: datetime) -> None:
    """Let another one probe at once: the message that was to do it did not leave."""
    given_back = connection.execute(
        sa.update(breakers)
        .where(breakers.c.account == account, breakers.c.open_until == probe)
        .values(open_until=at)
    )
    if given_back.rowcount == 1:
        batches.end_rest(connection, account, probe, at)


def close(connection: Connection, account: str, at: datetime) -> bool:
    """A message got through: everybody goes on at once. Returns whether the breaker was open."""
    closed = connection.execute(
        sa.delete(breakers).where(breakers.c.account == account).returning(breakers.c.open_until)
    ).scalar_one_or_none()
    if closed is None:
        return False
    batches.end_rest(connection, account, closed, at)
    return True
