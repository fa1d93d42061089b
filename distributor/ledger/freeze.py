"""Freezing a send: its renderings and its audience, written down before anything leaves."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import tallies
from distributor.ledger.routing import Route, served_by
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


@dataclass(frozen=True, slots=True)
class Group:
    """Those of a send's audience whom one account serves."""

    channel: str
    #: Empty when no route leads anywhere.
    account: str
    #: What they chose; the account's own choice, which is empty, always stands among them.
    variants: tuple[str, ...]
    size: int


def channels_of(connection: Connection, send_id: int) -> tuple[str, ...]:
    """Channels that the send is meant for, in alphabetical order; some may have no audience."""
    query = sa.union(
        sa.select(send_audiences.c.channel).where(send_audiences.c.send_id == send_id),
        sa.select(subscribers.c.channel)
        .join(send_targets)
        .where(send_targets.c.send_id == send_id),
    )
    return tuple(sorted(connection.execute(query).scalars()))


def groups_of(
    connection: Connection, send_id: int, channel: str, routes: Sequence[Route]
) -> tuple[Group, ...]:
    """The send's audience on `channel`, by the account that serves it."""
    audience = _audience(send_id, channel).subquery()
    account = served_by(audience, routes).label("served_by")
    query = (
        sa.select(account, audience.c.variant, sa.func.count())
        .group_by(account, audience.c.variant)
        .order_by(account, audience.c.variant)
    )
    variants: dict[str, set[str]] = {}
    sizes: Counter[str] = Counter()
    for name, variant, size in connection.execute(query):
        variants.setdefault(name, {""}).add(variant)
        sizes[name] += size
    return tuple(
        Group(channel, name, tuple(sorted(chosen)), sizes[name])
        for name, chosen in variants.items()
    )


def freeze_group(
    connection: Connection,
    send_id: int,
    group: Group,
    *,
    routes: Sequence[Route],
    renderings: Mapping[str, FrozenRendering],
    batch_size: int,
    at: datetime,
) -> int:
    """Write one delivery per subscriber of the group, in batches of `batch_size`.

    `renderings` has one by variant; whoever has meanwhile chosen another gets the one of the
    empty variant. A suppressed address gets its delivery too, as `skipped`. Returns the number
    written.
    """
    ids = _store_renderings(connection, send_id, group, renderings)
    everybody = _audience(send_id, group.channel).subquery()
    audience = sa.select(everybody).where(served_by(everybody, routes) == group.account).subquery()
    number = math.ceil(group.size / batch_size)
    first = _create_batches(connection, send_id, group, number, at)
    if connection.dialect.name == "postgresql":
        # It knows nothing of the new batches yet, and would look through all of them for each
        # delivery.
        connection.execute(sa.text("ANALYZE batches"))
    place = sa.func.row_number(type_=sa.Integer).over(order_by=audience.c.id) - 1
    placed = sa.select(
        audience.c.id,
        audience.c.address,
        _rendering_id(audience, ids).label("rendering_id"),
        # The last batch takes those who joined since the group was counted.
        sa.case(
            (place < number * batch_size, place // batch_size + first), else_=first + number - 1
        ).label("batch"),
    ).subquery()
    insert = _insert_deliveries(placed, send_id, group, at)
    written = connection.execute(insert.execution_options(preserve_rowcount=True)).rowcount
    tallies.begin(connection, send_id, group.channel, group.account)
    return written


def warnings_of(connection: Connection, send_id: int) -> tuple[tuple[str, str], ...]:
    """What channels said of their renderings, each once, as (channel, words)."""
    query = (
        sa.select(renderings.c.channel, renderings.c.warnings)
        .where(renderings.c.send_id == send_id)
        .order_by(renderings.c.channel, renderings.c.id)
    )
    said = ((row.channel, words) for row in connection.execute(query) for words in row.warnings)
    return tuple(dict.fromkeys(said))


def _rendering_id(audience: sa.Subquery, ids: Mapping[str, int]) -> sa.ColumnElement[int]:
    default = sa.literal(ids[""], sa.BigInteger)
    chosen = {variant: identifier for variant, identifier in ids.items() if variant}
    return sa.case(chosen, value=audience.c.variant, else_=default) if chosen else default


def _insert_deliveries(placed: sa.Subquery, send_id: int, group: Group, at: datetime) -> sa.Insert:
    """One statement for the whole group: it never passes through this process."""
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
            placed.c.rendering_id,
            batches.c.id,
            sa.literal(group.channel),
            sa.literal(group.account),
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
                batches.c.channel == group.channel,
                batches.c.number == placed.c.batch,
            ),
        )
        .outerjoin(
            suppressions,
            sa.and_(
                suppressions.c.channel == group.channel,
                suppressions.c.address == placed.c.address,
            ),
        ),
    )


def _audience(send_id: int, channel: str) -> sa.Select[Any]:
    of_lists = (
        sa.select(memberships.c.subscriber_id)
        .join(send_audiences, send_audiences.c.list_id == memberships.c.list_id)
        .where(
            send_audiences.c.send_id == send_id,
            send_audiences.c.channel == channel,
            memberships.c.unsubscribed_at.is_(None),
        )
    )
    named = sa.select(send_targets.c.subscriber_id).where(send_targets.c.send_id == send_id)
    return sa.select(
        subscribers.c.id,
        subscribers.c.address,
        subscribers.c.account,
        subscribers.c.variant,
    ).where(
        subscribers.c.channel == channel,
        subscribers.c.id.in_(sa.union_all(of_lists, named)),
    )


def _store_renderings(
    connection: Connection, send_id: int, group: Group, frozen: Mapping[str, FrozenRendering]
) -> dict[str, int]:
    """Ids by variant."""
    return {
        variant: connection.execute(
            sa.insert(renderings)
            .values(
                send_id=send_id,
                channel=group.channel,
                account=group.account,
                variant=variant,
                parts=list(rendering.parts),
                warnings=list(rendering.warnings),
            )
            .returning(renderings.c.id)
        ).scalar_one()
        for variant, rendering in frozen.items()
    }


def _create_batches(
    connection: Connection, send_id: int, group: Group, number: int, at: datetime
) -> int:
    """Add `number` batches to those that the send has on the channel; returns the first one's."""
    of_channel = sa.and_(batches.c.send_id == send_id, batches.c.channel == group.channel)
    count = sa.select(sa.func.count()).select_from(batches).where(of_channel)
    first: int = connection.execute(count).scalar_one()
    rows = [
        {
            "send_id": send_id,
            "channel": group.channel,
            "account": group.account,
            "number": first + index,
            "due_at": at,
        }
        for index in range(number)
    ]
    if rows:
        connection.execute(sa.insert(batches), rows)
    return first
