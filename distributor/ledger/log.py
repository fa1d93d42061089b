"""Reading the delivery log: every attempt of every recipient of a send."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.states import DeliveryState
from distributor.ledger.tables import attempts, deliveries

#: Of a BIGINT; more digits are some platform's address.
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One attempt, or a delivery that was never attempted (`part` and `attempt` are None)."""

    delivery: int
    subscriber: int
    channel: str
    address: str
    #: What the delivery is now.
    state: DeliveryState
    part: int | None
    attempt: int | None
    at: datetime
    #: What this attempt came to; the delivery's state where there was none.
    outcome: DeliveryState
    code: str | None
    reply: str | None
    message_id: str | None
    worker: str | None
    duration_ms: int | None


@dataclass(frozen=True, slots=True)
class Reason:
    """Deliveries of one state and code, with an example of the platform's words."""

    channel: str
    state: DeliveryState
    code: str
    reply: str
    number: int


def entries(
    connection: Connection,
    send_id: int,
    *,
    state: DeliveryState | None = None,
    subscriber: str | None = None,
) -> Iterator[Entry]:
    """The log of a send in order of deliveries, then of attempts.

    `subscriber` is an address or a subscriber id; digits may be either, so both are found.
    """
    query = (
        sa.select(
            deliveries.c.id.label("delivery"),
            deliveries.c.subscriber_id.label("subscriber"),
            deliveries.c.channel,
            deliveries.c.address,
            deliveries.c.state,
            attempts.c.part,
            attempts.c.number.label("attempt"),
            sa.func.coalesce(attempts.c.at, deliveries.c.updated_at).label("at"),
            sa.func.coalesce(attempts.c.outcome, deliveries.c.state).label("outcome"),
            sa.func.coalesce(attempts.c.code, deliveries.c.code).label("code"),
            sa.func.coalesce(attempts.c.reply, deliveries.c.reply).label("reply"),
            attempts.c.message_id,
            attempts.c.worker,
            attempts.c.duration_ms,
        )
        .select_from(deliveries.outerjoin(attempts))
        .where(deliveries.c.send_id == send_id)
        .order_by(deliveries.c.id, attempts.c.id)
    )
    if state is not None:
        query = query.where(deliveries.c.state == state)
    if subscriber is not None:
        query = query.where(is_of(subscriber))
    for row in connection.execution_options(yield_per=1000).execute(query).mappings():
        yield Entry(**row)


def is_of(subscriber: str) -> sa.ColumnElement[bool]:
    """True of the deliveries to `subscriber`, an address or a subscriber's id."""
    fits = deliveries.c.address == subscriber
    if subscriber.isdecimal() and int(subscriber) <= _LARGEST_ID:
        fits = sa.or_(fits, deliveries.c.subscriber_id == int(subscriber))
    return fits


def reasons(connection: Connection, send_id: int, *states: DeliveryState) -> tuple[Reason, ...]:
    """Why deliveries are in `states`, the most frequent reason first."""
    number = sa.func.count()
    rows = connection.execute(
        sa.select(
            deliveries.c.channel,
            deliveries.c.state,
            sa.func.coalesce(deliveries.c.code, ""),
            sa.func.coalesce(sa.func.max(deliveries.c.reply), ""),
            number,
        )
        .where(deliveries.c.send_id == send_id, deliveries.c.state.in_(states))
        .group_by(deliveries.c.channel, deliveries.c.state, deliveries.c.code)
        .order_by(number.desc(), deliveries.c.channel, deliveries.c.code)
    )
    return tuple(Reason(*row) for row in rows)
