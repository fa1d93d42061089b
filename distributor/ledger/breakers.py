"""Circuit breakers: one an account, open while the account cannot send; closed by a probe."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import batches
from distributor.ledger.probed import Rests
from distributor.ledger.tables import breakers

#: How long a breaker stays open the first time; each time after that twice as long.
FIRST_REST = timedelta(seconds=5)
_LONGEST = timedelta(minutes=5)
_RESTS = Rests(breakers, ("account",), FIRST_REST, _LONGEST)


@dataclass(frozen=True, slots=True)
class Breaker:
    """An account's breaker that is not closed."""

    account: str
    code: str
    reply: str
    opened_at: datetime
    open_until: datetime
    times: int


def find(connection: Connection, account: str) -> Breaker | None:
    """The account's breaker; None when it is closed."""
    query = sa.select(breakers).where(_RESTS.is_this(account))
    row = connection.execute(query).mappings().one_or_none()
    return Breaker(**row) if row else None


def all_open(connection: Connection) -> tuple[Breaker, ...]:
    """Every breaker that is not closed, by account."""
    rows = connection.execute(sa.select(breakers).order_by(breakers.c.account)).mappings()
    return tuple(Breaker(**row) for row in rows)


def find_locked(connection: Connection, account: str) -> Breaker | None:
    """As `find`; and it neither changes nor closes while this transaction lasts."""
    query = sa.select(breakers).where(_RESTS.is_this(account)).with_for_update()
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
    """Open the breaker, or open it again for longer; see `Rests.open`."""
    row, before = _RESTS.open(connection, account, code=code, reply=reply, at=at, probe=probe)
    opened = Breaker(**row)
    if opened.open_until != before:
        batches.end_rest(connection, account, before, opened.open_until)
    return opened


def claim_probe(connection: Connection, account: str, at: datetime) -> datetime | None:
    """Claim the right to send the one message that probes; see `Rests.claim_probe`."""
    return _RESTS.claim_probe(connection, account, at=at)


def give_back_probe(connection: Connection, account: str, probe: datetime, at: datetime) -> None:
    """Let another one probe at once: the message that was to do it did not leave."""
    if _RESTS.give_back_probe(connection, account, probe=probe, at=at):
        batches.end_rest(connection, account, probe, at)


def close(connection: Connection, account: str, at: datetime) -> bool:
    """A message got through: everybody goes on at once. Returns whether the breaker was open."""
    closed = _RESTS.end(connection, account)
    if closed is None:
        return False
    batches.end_rest(connection, account, closed, at)
    return True
