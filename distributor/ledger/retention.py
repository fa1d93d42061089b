"""Dropping the attempts of sends that ended long ago.

The books stay, and so does the last answer of each delivery: they are in the deliveries.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import bulk
from distributor.ledger.states import SendState
from distributor.ledger.tables import attempts, batches, deliveries, sends

_OVER = (SendState.FINISHED, SendState.CANCELED)


def drop_some(
    connection: Connection, *, ended_before: datetime, at: datetime, limit: int
) -> int | None:
    """Drop the attempts of the next `limit` batches of a send that ended before then.

    Returns how many attempts these had; None when nothing is left to drop. A send is marked
    with its first batches, so that its receipt knows that the log is incomplete.
    """
    found = connection.execute(_next_send(ended_before)).one_or_none()
    if found is None:
        return None
    chosen = (
        sa.select(batches.c.id)
        .where(batches.c.send_id == found.id, batches.c.id > found.dropped_to)
        .order_by(batches.c.id)
        .limit(limit)
    )
    batch_ids = connection.execute(chosen).scalars().all()
    of_these = sa.select(deliveries.c.id).where(deliveries.c.batch_id.in_(batch_ids))
    # Named one by one: given a subquery, PostgreSQL may read all attempts there are.
    ids = connection.execute(of_these).scalars().all()
    dropped = connection.execute(
        sa.delete(attempts).where(bulk.among(connection, attempts.c.delivery_id, ids))
    )
    is_last = len(batch_ids) < limit
    connection.execute(
        sa.update(sends)
        .where(sends.c.id == found.id)
        .values(attempts_dropped_at=at, attempts_dropped_to=None if is_last else batch_ids[-1])
    )
    return dropped.rowcount


def _next_send(ended_before: datetime) -> sa.Select[tuple[int, int]]:
    """The send that is being dropped, or else the oldest that is due for it."""
    # One that was tried again since has new attempts, in any of its batches.
    is_new = sa.or_(
        sends.c.attempts_dropped_at.is_(None), sends.c.attempts_dropped_at <= sends.c.finished_at
    )
    dropped_to = sa.case((is_new, 0), else_=sends.c.attempts_dropped_to).label("dropped_to")
    # What a lost worker left is settled by comparing its journal with the attempts.
    unsettled = sa.exists().where(
        batches.c.send_id == sends.c.id, batches.c.lease_token.is_not(None)
    )
    return (
        sa.select(sends.c.id, dropped_to)
        .where(
            sends.c.state.in_(_OVER),
            sends.c.finished_at < ended_before,
            sa.or_(is_new, sends.c.attempts_dropped_to.is_not(None)),
            ~unsettled,
        )
        .order_by(sends.c.attempts_dropped_to.is_(None), sends.c.id)
        .limit(1)
        # Two who drop at the same time take different sends.
        .with_for_update(skip_locked=True)
    )
