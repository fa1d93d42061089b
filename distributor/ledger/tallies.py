"""Tallies: the numbers of deliveries by state, known without counting a million rows.

PostgreSQL takes half a second to count a million deliveries, and an index on their state would
cost every delivery more than this. So a trigger adds what each statement has moved from one state
to another: exact, because it is part of the same transaction, and without waiting, because rows
are only added. SQLite counts a hundred thousand in some milliseconds and keeps no tallies.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.states import DeliveryState
from distributor.ledger.tables import deliveries, tallies

_MANY = 500
#: States that need no reason.
_AS_PLANNED = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.SENT)


def are_kept(connection: Connection) -> bool:
    """Whether this database keeps tallies."""
    return connection.dialect.name == "postgresql"


def begin(connection: Connection, send_id: int, channel: str, account: str) -> None:
    """Tally deliveries that were just written."""
    if not are_kept(connection):
        return
    reason = sa.case(
        (deliveries.c.state.in_(_AS_PLANNED), ""), else_=sa.func.coalesce(deliveries.c.code, "")
    )
    by = (deliveries.c.send_id, deliveries.c.channel, deliveries.c.state, reason)
    counted = (
        sa.select(*by, sa.func.max(deliveries.c.reply), sa.func.count())
        .where(
            deliveries.c.send_id == send_id,
            deliveries.c.channel == channel,
            deliveries.c.account == account,
        )
        .group_by(*by)
    )
    columns = ["send_id", "channel", "state", "code", "reply", "number"]
    connection.execute(sa.insert(tallies).from_select(columns, counted))


def add_up(connection: Connection, many: int = _MANY) -> None:
    """Put one row in place of many for each state and reason of sends that have so many rows.

    Two at once do no harm: each adds up only the rows that it took away itself.
    """
    if not are_kept(connection):
        return
    number = sa.func.count()
    crowded = sa.select(tallies.c.send_id).group_by(tallies.c.send_id).having(number > many)
    for send_id in connection.execute(crowded).scalars().all():
        connection.execute(_add_up(send_id))


def _add_up(send_id: int) -> sa.Insert:
    taken = (
        sa.delete(tallies).where(tallies.c.send_id == send_id).returning(*tallies.c).cte("taken")
    )
    by = (taken.c.send_id, taken.c.channel, taken.c.state, taken.c.code)
    total = sa.func.sum(taken.c.number)
    summed = sa.select(*by, sa.func.max(taken.c.reply), total).group_by(*by).having(total != 0)
    columns = ["send_id", "channel", "state", "code", "reply", "number"]
    return sa.insert(tallies).from_select(columns, summed)
