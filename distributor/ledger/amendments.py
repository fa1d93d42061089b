"""Correcting what was delivered: which messages stand where, and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import attempts
from distributor.ledger.attempts import Attempt
from distributor.ledger.database import insert_or_ignore
from distributor.ledger.freeze import FrozenRendering
from distributor.ledger.reachability import unreachable
from distributor.ledger.states import DeliveryState
from distributor.ledger.tables import deliveries, parts, renderings, subscribers

#: Code of a delivery whose recipient had left before a correction added to it.
LEFT = "left"
#: Deliveries read at a time.
_CHUNK = 200


@dataclass(frozen=True, slots=True)
class SentRendering:
    """A rendering as a send delivered it."""

    id: int
    channel: str
    account: str
    variant: str
    parts: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Delivered:
    """A delivery of which the platform has accepted something."""

    id: int
    subscriber_id: int
    address: str
    name: str
    attributes: Mapping[str, str]
    state: DeliveryState
    #: Suppressed or unsubscribed since: what they have may be changed, and nothing added.
    has_left: bool
    #: Message ids of the accepted parts by their numbers; None where the platform gave none.
    messages: Mapping[int, str | None]


def renderings_of(connection: Connection, send_id: int) -> tuple[SentRendering, ...]:
    """All renderings of a send, in the order they were made."""
    columns = ("id", "channel", "account", "variant", "parts")
    query = sa.select(*(renderings.c[name] for name in columns))
    rows = connection.execute(query.where(renderings.c.send_id == send_id).order_by("id"))
    return tuple(SentRendering(*row) for row in rows)


def delivered(
    connection: Connection, send_id: int, rendering: SentRendering, after: int
) -> tuple[Delivered, ...]:
    """The next deliveries of a rendering above the id `after`, of which a part was accepted."""
    some_part = sa.exists().where(
        parts.c.delivery_id == deliveries.c.id, parts.c.state == DeliveryState.SENT
    )
    rows = connection.execute(
        sa.select(
            deliveries.c.id,
            deliveries.c.subscriber_id,
            deliveries.c.address,
            subscribers.c.name,
            subscribers.c.attributes,
            deliveries.c.state,
        )
        .join(subscribers)
        .where(
            deliveries.c.rendering_id == rendering.id,
            deliveries.c.id > after,
            sa.or_(deliveries.c.state == DeliveryState.SENT, some_part),
        )
        .order_by(deliveries.c.id)
        .limit(_CHUNK)
    ).all()
    messages = attempts.accepted_messages(connection, [row.id for row in rows])
    people = {row.subscriber_id: row.address for row in rows}
    left = unreachable(connection, send_id, rendering.channel, people)
    return tuple(
        Delivered(
            row.id,
            row.subscriber_id,
            row.address,
            row.name,
            row.attributes or {},
            row.state,
            row.subscriber_id in left,
            messages[row.id],
        )
        for row in rows
    )


def count_sent(connection: Connection, rendering_ids: Collection[int]) -> dict[str, int]:
    """Sent deliveries of these renderings by channel."""
    query = (
        sa.select(deliveries.c.channel, sa.func.count())
        .where(
            deliveries.c.rendering_id.in_(rendering_ids),
            deliveries.c.state == DeliveryState.SENT,
        )
        .group_by(deliveries.c.channel)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def record(connection: Connection, tried: Attempt, *, is_withdrawn: bool = False) -> None:
    """Add a try at correcting a part to the delivery log; a withdrawn part is accepted no more."""
    attempts.add(connection, [tried])
    if is_withdrawn:
        of_part = sa.and_(parts.c.delivery_id == tried.delivery_id, parts.c.number == tried.part)
        connection.execute(sa.delete(parts).where(of_part))


def record_added(connection: Connection, tried: Attempt) -> None:
    """Like `record`, of a part that the delivery did not have before.

    When it was not accepted the delivery ends as the try did: it can be retried or resolved.
    """
    attempts.add(connection, [tried])
    _keep_first_part(connection, tried)
    attempts.keep_parts(connection, [tried])
    if tried.outcome is not DeliveryState.SENT:
        connection.execute(
            sa.update(deliveries)
            .where(deliveries.c.id == tried.delivery_id)
            .values(
                state=tried.outcome,
                attempts=tried.number,
                code=tried.code,
                reply=tried.reply,
                updated_at=tried.at,
            )
        )


def end_incomplete(connection: Connection, delivery_id: int, words: str, at: datetime) -> None:
    """End a delivery that the new edition has more parts for, and that nobody is to get."""
    connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.state == DeliveryState.SENT)
        .values(state=DeliveryState.CANCELED, code=LEFT, reply=words, updated_at=at)
    )


def replace(connection: Connection, rendering_id: int, frozen: FrozenRendering) -> None:
    """Keep the corrected parts: what is sent of the rendering from now on."""
    connection.execute(
        sa.update(renderings)
        .where(renderings.c.id == rendering_id)
        .values(parts=list(frozen.parts), warnings=list(frozen.warnings))
    )


def _keep_first_part(connection: Connection, tried: Attempt) -> None:
    """A delivery of one part has no row for it; with a second one it needs it."""
    (messages,) = attempts.accepted_messages(connection, [tried.delivery_id]).values()
    row = {
        "delivery_id": tried.delivery_id,
        "number": 1,
        "state": DeliveryState.SENT,
        "message_id": messages.get(1),
        "updated_at": tried.at,
    }
    insert_or_ignore(connection, parts, [row], "delivery_id", "number")
