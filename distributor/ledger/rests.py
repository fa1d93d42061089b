"""What stands in the way on an account: its circuit breaker, and its stops."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import breakers as breakers_
from distributor.ledger import stops as stops_
from distributor.ledger.breakers import Breaker
from distributor.ledger.stops import Stop
from distributor.ledger.tables import breakers, stops


@dataclass(frozen=True, slots=True)
class Rests:
    #: None when it is closed.
    breaker: Breaker | None = None
    stops: tuple[Stop, ...] = ()


def of_account(connection: Connection, account: str) -> Rests:
    """What stands in the way; one short look tells where nothing does, as nearly always."""
    is_open, has_stops = connection.execute(
        sa.select(
            sa.exists().where(breakers.c.account == account),
            sa.exists().where(stops.c.account == account),
        )
    ).one()
    return Rests(
        breaker=breakers_.find(connection, account) if is_open else None,
        stops=stops_.of_account(connection, account) if has_stops else (),
    )
