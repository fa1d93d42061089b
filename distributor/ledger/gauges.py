"""Figures about everything under way, for those who watch from outside."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.states import DeliveryState, SendState
from distributor.ledger.tables import batches, deliveries, sends

_UNDER_WAY = (SendState.PREPARING, SendState.SENDING, SendState.PAUSED)


@dataclass(frozen=True, slots=True)
class Count:
    """Deliveries of a send that are in the same state on the same account."""

    send_id: int
    channel: str
    account: str
    state: DeliveryState
    number: int


@dataclass(frozen=True, slots=True)
class Queue:
    """The batches of a channel that have something to do."""

    #: Nobody holds them, and they could be worked on now.
    due: int
    #: Since when the oldest of these has been due.
    oldest_due_at: datetime | None
    #: A worker holds them.
    leased: int


def sends_by_state(connection: Connection) -> Mapping[SendState, int]:
    rows = connection.execute(sa.select(sends.c.state, sa.func.count()).group_by(sends.c.state))
    return {row[0]: row[1] for row in rows}


def under_way(connection: Connection, since: datetime) -> Mapping[int, SendState]:
    """Sends that are being prepared, sent or paused, but for those that were paused and forgotten:
    their deadline was before `since`."""
    is_forgotten = sa.and_(sends.c.state == SendState.PAUSED, sends.c.deadline_at < since)
    query = sa.select(sends.c.id, sends.c.state).where(sends.c.state.in_(_UNDER_WAY), ~is_forgotten)
    return {row[0]: row[1] for row in connection.execute(query)}


def deliveries_of(connection: Connection, send_ids: Collection[int]) -> tuple[Count, ...]:
    """The deliveries of these sends, counted."""
    grouped = (deliveries.c.send_id, deliveries.c.channel, deliveries.c.account, deliveries.c.state)
    query = (
        sa.select(*grouped, sa.func.count())
        .where(deliveries.c.send_id.in_(send_ids))
        .group_by(*grouped)
    )
    return tuple(Count(*row) for row in connection.execute(query))


def queues(connection: Connection, sending: Collection[int], at: datetime) -> Mapping[str, Queue]:
    """The batches of these sends, by channel."""
    leased = batches.c.leased_until >= at
    free = sa.or_(batches.c.leased_until.is_(None), ~leased)
    due_at = sa.case((sa.and_(batches.c.due_at <= at, free), batches.c.due_at))
    query = (
        sa.select(
            batches.c.channel,
            sa.func.count(due_at),
            sa.func.min(due_at, type_=batches.c.due_at.type),
            sa.func.count(sa.case((leased, 1))),
        )
        .where(batches.c.send_id.in_(sending), batches.c.due_at.is_not(None))
        .group_by(batches.c.channel)
    )
    return {channel: Queue(*rest) for channel, *rest in connection.execute(query)}
