"""Attempts: every try at every part, written down, and which parts were accepted so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.database import upsert
from distributor.ledger.states import DeliveryState
from distributor.ledger.tables import attempts, parts


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
    connection.execute(
        sa.insert(attempts),
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


def keep_part(connection: Connection, tried: Attempt) -> None:
    """Note what a part came to; one that was accepted stays so, whatever is reported later."""
    row = {
        "delivery_id": tried.delivery_id,
        "number": tried.part,
        "state": tried.outcome,
        "message_id": tried.message_id,
        "updated_at": tried.at,
    }
    upsert(
        connection,
        parts,
        [row],
        "delivery_id",
        "number",
        unless=parts.c.state == DeliveryState.SENT,
    )


def accepted_parts(
    connection: Connection, delivery_ids: Sequence[int]
) -> dict[int, list[str | None]]:
    rows = connection.execute(
        sa.select(parts.c.delivery_id, parts.c.message_id)
        .where(parts.c.delivery_id.in_(delivery_ids), parts.c.state == DeliveryState.SENT)
        .order_by(parts.c.delivery_id, parts.c.number)
    )
    found: dict[int, list[str | None]] = {}
    for delivery_id, message_id in rows:
        found.setdefault(delivery_id, []).append(message_id)
    return found
