"""Which batches workers are told of, and which hints may be lost."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import bulk
from distributor.ledger.batches import has_work, is_free, locked
from distributor.ledger.tables import batches


@dataclass(frozen=True, slots=True)
class DueBatch:
    """A batch that somebody may work on, and the channel whose workers can."""

    id: int
    channel: str


def to_hint(
    connection: Connection,
    *,
    at: datetime,
    again_after_seconds: float,
    limit: int,
    leave_out: Collection[str] = (),
) -> tuple[DueBatch, ...]:
    """Batches that are due, free, and not hinted lately; marks them as hinted.

    None of the channels to `leave_out`.
    """
    again_before = at - timedelta(seconds=again_after_seconds)
    not_hinted = sa.or_(
        batches.c.hinted_at.is_(None),
        batches.c.hinted_at < again_before,
        # Whoever took the hint up was lost: its lease has ended since.
        batches.c.hinted_at < batches.c.leased_until,
    )
    chosen = (
        sa.select(batches.c.id)
        .where(batches.c.due_at <= at, is_free(at), not_hinted, has_work())
        .where(batches.c.channel.not_in(leave_out))
        .order_by(batches.c.due_at, batches.c.id)
        .limit(limit)
    )
    # Looked at once more with the row itself, because another sweeper may just have marked it.
    ids = locked(connection, sa.and_(batches.c.id.in_(chosen), not_hinted), skip_locked=True)
    marked = connection.execute(
        sa.update(batches)
        .where(bulk.among(connection, batches.c.id, ids))
        .values(hinted_at=at)
        .returning(batches.c.id, batches.c.channel)
    )
    return tuple(DueBatch(*row) for row in marked)


def forget_hints(
    connection: Connection,
    channels: Collection[str],
    *,
    before: datetime | None = None,
    limit: int | None = None,
) -> None:
    """Mark the free batches of these channels as not hinted: their tasks may be lost.

    `before`: only those that have been due, and were hinted, before that time; no more of them
    than `limit`.
    """
    if not channels:
        return
    forgotten = sa.and_(
        batches.c.channel.in_(channels),
        batches.c.hinted_at.is_not(None),
        batches.c.leased_by.is_(None),
        # Few of all that ever were, and known by an index.
        batches.c.due_at.is_not(None),
    )
    if before is not None:
        forgotten &= sa.and_(batches.c.due_at < before, batches.c.hinted_at < before)
    ids = locked(connection, forgotten, skip_locked=True, limit=limit)
    connection.execute(
        sa.update(batches).where(bulk.among(connection, batches.c.id, ids)).values(hinted_at=None)
    )
