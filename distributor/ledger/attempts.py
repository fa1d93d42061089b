"""Attempts: every try at every part, written down, and which parts were accepted so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import bulk
from distributor.ledger.database import upsert
from distributor.ledger.states import DeliveryState
from distributor.ledger.tables import attempts, deliveries, parts

#: Code of a try whose worker was lost while the platform had the message.
WORKER_LOST = "worker-lost"
#: Who "tried" what an operator wrote into the delivery log, and the codes of what they decided.
OPERATOR = "operator"
RETRY = "retry"
RESOLVED_SENT = "resolved-sent"
RESOLVED_RESEND = "resolved-resend"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One finished try, ready to be written."""

    delivery_id: int
    part: int
    number: int
    at: datetime
    outcome: DeliveryState
    code: str
    reply: str
    message_id: str | None
    worker: str
    duration_ms: int


def add(connection: Connection, tries: Sequence[Attempt]) -> None:
    """Write tries into the delivery log."""
    bulk.insert(
        connection,
        attempts,
        [
            {
                "delivery_id": tried.delivery_id,
                "part": tried.part,
                "number": tried.number,
                "at": tried.at,
                "outcome": tried.outcome,
                "code": tried.code,
                "reply": tried.reply,
                "message_id": tried.message_id,
                "worker": tried.worker,
                "duration_ms": tried.duration_ms,
            }
            for tried in tries
        ],
    )


def keep_parts(connection: Connection, tries: Sequence[Attempt]) -> None:
    """Note what parts came to; one that was accepted stays so, whatever is reported later."""
    rows = [
        {
            "delivery_id": tried.delivery_id,
            "number": tried.part,
            "state": tried.outcome,
            "message_id": tried.message_id,
            "updated_at": tried.at,
        }
        for tried in tries
    ]
    accepted = parts.c.state == DeliveryState.SENT
    upsert(connection, parts, rows, "delivery_id", "number", unless=accepted)


def logged(
    connection: Connection, delivery_ids: Sequence[int]
) -> set[tuple[int, int, int, datetime]]:
    """The answered tries in the log of these deliveries, as (delivery, part, number, at).

    Numbers begin again when a try was given back, so that the time belongs to it.
    """
    rows = connection.execute(
        sa.select(attempts.c.delivery_id, attempts.c.part, attempts.c.number, attempts.c.at).where(
            bulk.among(connection, attempts.c.delivery_id, delivery_ids),
            attempts.c.code != WORKER_LOST,
        )
    )
    return {(row[0], row[1], row[2], row[3]) for row in rows}


def accepted_parts(
    connection: Connection, delivery_ids: Sequence[int]
) -> dict[int, list[str | None]]:
    """Message ids of accepted parts, in order, by delivery.

    A delivery of one part, or without an accepted one, is not there; a platform that gives no ids
    leaves None.
    """
    rows = connection.execute(
        sa.select(parts.c.delivery_id, parts.c.message_id)
        .where(
            bulk.among(connection, parts.c.delivery_id, delivery_ids),
            parts.c.state == DeliveryState.SENT,
        )
        .order_by(parts.c.delivery_id, parts.c.number)
    )
    found: dict[int, list[str | None]] = {}
    for delivery_id, message_id in rows:
        found.setdefault(delivery_id, []).append(message_id)
    return found


def accepted_messages(
    connection: Connection, delivery_ids: Sequence[int]
) -> dict[int, dict[int, str | None]]:
    """Message ids of accepted parts, by delivery and part number.

    A delivery of one part has no row for it: it says itself what became of it.
    """
    rows = connection.execute(
        sa.select(
            deliveries.c.id,
            sa.func.coalesce(parts.c.number, 1),
            sa.func.coalesce(parts.c.message_id, deliveries.c.message_id),
        )
        .outerjoin(
            parts,
            sa.and_(parts.c.delivery_id == deliveries.c.id, parts.c.state == DeliveryState.SENT),
        )
        .where(
            bulk.among(connection, deliveries.c.id, delivery_ids),
            sa.or_(parts.c.number.is_not(None), deliveries.c.state == DeliveryState.SENT),
        )
        .order_by(deliveries.c.id, parts.c.number)
    )
    found: dict[int, dict[int, str | None]] = {}
    for delivery_id, number, message_id in rows:
        found.setdefault(delivery_id, {})[number] = message_id
    return found


def previous_messages(connection: Connection, delivery_id: int) -> tuple[str, ...]:
    """Message ids of the parts of the delivery before this one, to the same subscriber.

    Deliveries of which nothing is known to be accepted are passed over.
    """
    this = deliveries.alias()
    before = (
        sa.select(deliveries.c.id)
        .join(this, this.c.subscriber_id == deliveries.c.subscriber_id)
        .where(
            this.c.id == delivery_id,
            deliveries.c.id < delivery_id,
            deliveries.c.account == this.c.account,
            deliveries.c.message_id.is_not(None),
        )
        .order_by(deliveries.c.id.desc())
        .limit(1)
    )
    found = connection.execute(before).scalar()
    messages = accepted_messages(connection, [found]) if found is not None else {}
    return tuple(one for each in messages.values() for one in each.values() if one)
