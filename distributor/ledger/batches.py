"""Batches: a share of a send's deliveries that one worker at a time works on, under a lease."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.states import DeliveryState, SendState
from distributor.ledger.tables import batches, deliveries, digests, sends


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a batch, as long as the lease is renewed."""

    batch_id: int
    token: str
    send_id: int
    channel: str
    account: str
    revision: str
    deadline_at: datetime


@dataclass(frozen=True, slots=True)
class DueBatch:
    id: int
    channel: str


def claim(
    connection: Connection, batch_id: int, *, worker: str, at: datetime, lease: timedelta
) -> Claim | None:
    """Take the lease of a batch; None when it is not due, taken, or its send is not sending."""
    token = uuid4().hex
    sending = sa.select(sends.c.id).where(sends.c.state == SendState.SENDING)
    taken = connection.execute(
        sa.update(batches)
        .where(
            batches.c.id == batch_id,
            batches.c.due_at <= at,
            _free(at),
            batches.c.send_id.in_(sending),
        )
        .values(lease_token=token, leased_by=worker, leased_until=at + lease)
    )
    if taken.rowcount == 0:
        return None
    row = connection.execute(
        sa.select(
            batches.c.send_id,
            batches.c.channel,
            batches.c.account,
            digests.c.revision,
            sends.c.deadline_at,
        )
        .select_from(batches.join(sends).join(digests))
        .where(batches.c.id == batch_id)
    ).one()
    return Claim(batch_id, token, *row)


def renew(connection: Connection, tokens: Sequence[str], until: datetime) -> None:
    """Extend the leases that `tokens` hold."""
    connection.execute(
        sa.update(batches).where(batches.c.lease_token.in_(tokens)).values(leased_until=until)
    )


def release(connection: Connection, claim: Claim, at: datetime) -> datetime | None:
    """Give the lease back and say when the batch is due again; None when it has ended."""
    due_at = _next_due(connection, claim.batch_id, at)
    connection.execute(
        sa.update(batches)
        .where(batches.c.id == claim.batch_id, batches.c.lease_token == claim.token)
        .values(due_at=due_at, lease_token=None, leased_by=None, leased_until=None, hinted_at=None)
    )
    return due_at


def wake(connection: Connection, batch_id: int, at: datetime) -> None:
    """Make a batch due at that time, unless it is sooner."""
    later = sa.or_(batches.c.due_at.is_(None), batches.c.due_at > at)
    connection.execute(
        sa.update(batches).where(batches.c.id == batch_id, later).values(due_at=at, hinted_at=None)
    )


def rest(connection: Connection, account: str, until: datetime) -> None:
    """Leave the account's free batches alone until then; their deliveries keep their states."""
    connection.execute(
        sa.update(batches)
        .where(
            batches.c.account == account,
            batches.c.due_at < until,
            batches.c.lease_token.is_(None),
        )
        .values(due_at=until)
    )


def to_hint(
    connection: Connection, *, at: datetime, again_after_seconds: float, limit: int
) -> tuple[DueBatch, ...]:
    """Batches that are due, free, and not hinted lately; marks them as hinted."""
    sending = sa.select(sends.c.id).where(sends.c.state == SendState.SENDING)
    again_before = at - timedelta(seconds=again_after_seconds)
    not_hinted = sa.or_(batches.c.hinted_at.is_(None), batches.c.hinted_at < again_before)
    chosen = (
        sa.select(batches.c.id)
        .where(batches.c.due_at <= at, _free(at), not_hinted, batches.c.send_id.in_(sending))
        .order_by(batches.c.due_at, batches.c.id)
        .limit(limit)
    )
    marked = connection.execute(
        sa.update(batches)
        # Once more for the row itself: PostgreSQL looks again at it, but not at the subquery,
        # when another sweeper has just marked it.
        .where(batches.c.id.in_(chosen), not_hinted)
        .values(hinted_at=at)
        .returning(batches.c.id, batches.c.channel)
    )
    return tuple(DueBatch(*row) for row in marked)


def lease_holders(connection: Connection, at: datetime) -> tuple[str, ...]:
    """The workers that hold a lease which has not run out."""
    query = sa.select(batches.c.leased_by).where(batches.c.leased_until >= at).distinct()
    return tuple(holder for holder in connection.execute(query).scalars() if holder)


def end_leases_of(connection: Connection, workers: Sequence[str], at: datetime) -> int:
    """End the leases of workers that are known to be gone; returns how many there were."""
    ended = connection.execute(
        sa.update(batches)
        .where(batches.c.leased_by.in_(workers), batches.c.leased_until >= at)
        .values(leased_until=at - timedelta(seconds=1), hinted_at=None)
    )
    return ended.rowcount


def _free(at: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(batches.c.leased_until.is_(None), batches.c.leased_until < at)


def _next_due(connection: Connection, batch_id: int, at: datetime) -> datetime | None:
    of_batch = deliveries.c.batch_id == batch_id
    # A delivery left in `sending` here was handed back in flight: the next claim settles it.
    waiting = (DeliveryState.QUEUED, DeliveryState.SENDING)
    now = sa.select(sa.exists().where(of_batch, deliveries.c.state.in_(waiting)))
    if connection.execute(now).scalar():
        return at
    later = sa.select(sa.func.min(deliveries.c.next_attempt_at)).where(
        of_batch, deliveries.c.state == DeliveryState.RETRYING
    )
    due_at: datetime | None = connection.execute(later).scalar()
    return due_at
