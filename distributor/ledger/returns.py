"""What comes back after a message was accepted: reports, and the deliveries that they change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.database import insert_or_ignore
from distributor.ledger.states import DeliveryState
from distributor.ledger.tables import deliveries, reports


@dataclass(frozen=True, slots=True)
class Returned:
    """A delivery that something has come back about."""

    id: int
    send_id: int
    channel: str
    account: str
    address: str
    message_id: str | None
    state: DeliveryState


@dataclass(frozen=True, slots=True)
class StoredReport:
    #: SHA-256 of the report's bytes.
    digest: str
    kind: str
    delivery_id: int | None
    #: How the delivery was found.
    matched_by: str | None
    #: Whom it is about, as it says itself.
    address: str
    code: str
    words: str
    #: What was done about it, in words.
    effect: str
    at: datetime


def find(connection: Connection, *, send_id: int, subscriber_id: int) -> Returned | None:
    """The delivery of a send to a subscriber."""
    row = connection.execute(
        sa.select(
            deliveries.c.id,
            deliveries.c.send_id,
            deliveries.c.channel,
            deliveries.c.account,
            deliveries.c.address,
            deliveries.c.message_id,
            deliveries.c.state,
        ).where(deliveries.c.send_id == send_id, deliveries.c.subscriber_id == subscriber_id)
    ).one_or_none()
    return Returned(*row) if row else None


def mark(
    connection: Connection,
    delivery_id: int,
    state: DeliveryState,
    *,
    code: str,
    words: str,
    at: datetime,
) -> bool:
    """Move a sent delivery on to `bounced` or `complained`; False when it is not `sent`."""
    moved = connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.state == DeliveryState.SENT)
        .values(state=state, code=code, reply=words, updated_at=at)
    )
    return moved.rowcount == 1


def is_known(connection: Connection, digest: str) -> bool:
    """Whether this very report was taken in before."""
    return bool(
        connection.execute(sa.select(sa.exists().where(reports.c.digest == digest))).scalar()
    )


def keep(connection: Connection, report: StoredReport) -> None:
    """Write a report down, once."""
    row = {name: getattr(report, name) for name in StoredReport.__slots__}
    insert_or_ignore(connection, reports, [row], "digest")


def latest(connection: Connection, limit: int) -> Iterator[StoredReport]:
    """The newest reports first."""
    columns = [reports.c[name] for name in StoredReport.__slots__]
    query = sa.select(*columns).order_by(reports.c.id.desc()).limit(limit)
    for row in connection.execute(query):
        yield StoredReport(*row)
