"""Freezing a send: its renderings and its audience, written down before anything leaves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.states import DeliveryState
from distributor.ledger.tables import (
    batches,
    deliveries,
    memberships,
    renderings,
    send_audiences,
    send_targets,
    subscribers,
    suppressions,
)


@dataclass(frozen=True, slots=True)
class FrozenRendering:
    """What a channel made of the edition: the JSON payloads of its parts, in order."""

    parts: Sequence[Mapping[str, Any]]
    warnings: Sequence[str]


def channels_of(connection: Connection, send_id: int) -> tuple[str, ...]:
    """Channels that the send has an audience on, in alphabetical order."""
    audience = _audience(send_id).subquery()
    query = sa.select(audience.c.channel).distinct().order_by(audience.c.channel)
    return tuple(connection.execute(query).scalars())


def freeze_channel(
    connection: Connection,
    send_id: int,
    channel: str,
    *,
    account: str,
    rendering: FrozenRendering,
    batch_size: int,
    at: datetime,
) -> int:
    """Write one delivery per subscriber of the send on `channel`, in batches of `batch_size`.

    A suppressed address gets its delivery too, as `skipped`. Returns the number written.
    """
    rendering_id = _store_rendering(connection, send_id, channel, rendering)
    audience = _audience(send_id, channel).subquery()
    size = connection.execute(sa.select(sa.func.count()).select_from(audience)).scalar_one()
    _create_batches(connection, send_id, channel, account, math.ceil(size / batch_size), at)
    if connection.dialect.name == "postgresql":
        # It knows nothing of the new batches yet, and would look through all of them for each
        # delivery.
        connection.execute(sa.text("ANALYZE batches"))
    connection.execute(
        _insert_deliveries(audience, send_id, channel, account, rendering_id, batch_size, at)
    )
    return size


def _insert_deliveries(
    audience: sa.Subquery,
    send_id: int,
    channel: str,
    account: str,
    rendering_id: int,
    batch_size: int,
    at: datetime,
) -> sa.Insert:
    """One statement for the whole audience: it never passes through this process."""
    place = sa.func.row_number().over(order_by=audience.c.id) - 1
    batch = (place // batch_size).label("batch")
    placed = sa.select(audience.c.id, audience.c.address, batch).subquery()
    suppressed = suppressions.c.id.is_not(None)
    return sa.insert(deliveries).from_select(
        [
            "send_id",
            "subscriber_id",
            "rendering_id",
            "batch_id",
            "channel",
            "account",
            "address",
            "state",
            "code",
            "reply",
            "updated_at",
        ],
        sa.select(
            sa.literal(send_id),
            placed.c.id,
            sa.literal(rendering_id),
            batches.c.id,
            sa.literal(channel),
            sa.literal(account),
            placed.c.address,
            sa.case((suppressed, DeliveryState.SKIPPED.value), else_=DeliveryState.QUEUED.value),
            sa.case((suppressed, "suppressed")),
            sa.case((suppressed, suppressions.c.reason)),
            sa.literal(at, deliveries.c.updated_at.type),
        )
        .select_from(placed)
        .join(
            batches,
            sa.and_(
                batches.c.send_id == send_id,
                batches.c.channel == channel,
                batches.c.number == placed.c.batch,
            ),
        )
        .outerjoin(
            suppressions,
            sa.and_(
                suppressions.c.channel == channel,
                suppressions.c.address == placed.c.address,
            ),
        ),
    )


def _audience(send_id: int, channel: str | None = None) -> sa.CompoundSelect[Any]:
    columns = (subscribers.c.id, subscribers.c.channel, subscribers.c.address)
    of_lists = (
        sa.select(*columns)
        .join(memberships)
        .join(
            send_audiences,
            sa.and_(
                send_audiences.c.list_id == memberships.c.list_id,
                send_audiences.c.channel == subscribers.c.channel,
            ),
        )
        .where(send_audiences.c.send_id == send_id, memberships.c.unsubscribed_at.is_(None))
    )
    named = sa.select(*columns).join(send_targets).where(send_targets.c.send_id == send_id)
    if channel is not None:
        of_lists = of_lists.where(subscribers.c.channel == channel)
        named = named.where(subscribers.c.channel == channel)
    return sa.union(of_lists, named)


def _store_rendering(
    connection: Connection, send_id: int, channel: str, rendering: FrozenRendering
) -> int:
    identifier: int = connection.execute(
        sa.insert(renderings)
        .values(
            send_id=send_id,
            channel=channel,
            variant="",
            parts=list(rendering.parts),
            warnings=list(rendering.warnings),
        )
        .returning(renderings.c.id)
    ).scalar_one()
    return identifier


def _create_batches(
    connection: Connection, send_id: int, channel: str, account: str, number: int, at: datetime
) -> None:
    rows = [
        {
            "send_id": send_id,
            "channel": channel,
            "account": account,
            "number": index,
            "due_at": at,
        }
        for index in range(number)
    ]
    if rows:
        connection.execute(sa.insert(batches), rows)
