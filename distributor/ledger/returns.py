"""What comes to the bounce addresses: reports, the deliveries that they change, and letters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.database import insert_or_ignore
from distributor.ledger.states import DeliveryState
from distributor.ledger.tables import deliveries, reports

#: Mail to so many readers of a group, back within so long for the same class of reasons, is a
#: refusal of the whole group. One bounce may be an odd mailbox's, or one that its reader made up.
_ENOUGH_READERS = 3
_WITHIN = timedelta(hours=1)


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
    #: SHA-256 of its bytes and of whom it was delivered to.
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
    #: What its address ends with, if it speaks against the group (see `refuses_the_group`).
    ending: str | None
    #: What a person is to read, if it is no report; None once that was dropped.
    letter: str | None
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


def refuses_the_group(
    connection: Connection, returned: Returned, ending: str, code: str, at: datetime
) -> bool:
    """Whether a bounce of `returned` with `code`, such as `dsn-5.7.26`, is one too many.

    That is when bounces of the same class (`dsn-5.7`) about other readers with that `ending` were
    kept in the last hour.
    """
    kind, dot, _ = code.rpartition(".")
    is_alike = reports.c.code.startswith(kind + dot) if kind else reports.c.code == code
    others = (
        sa.select(deliveries.c.address)
        .distinct()
        .join(reports, reports.c.delivery_id == deliveries.c.id)
        .where(
            reports.c.ending == ending,
            reports.c.at > at - _WITHIN,
            is_alike,
            deliveries.c.account == returned.account,
            deliveries.c.address != returned.address,
        )
        .limit(_ENOUGH_READERS - 1)
    )
    return len(connection.execute(others).all()) + 1 >= _ENOUGH_READERS


def latest(connection: Connection, limit: int, kind: str | None = None) -> Iterator[StoredReport]:
    """The newest reports first, of one kind or of all."""
    columns = [reports.c[name] for name in StoredReport.__slots__]
    query = sa.select(*columns).order_by(reports.c.id.desc()).limit(limit)
    if kind is not None:
        query = query.where(reports.c.kind == kind)
    for row in connection.execute(query):
        yield StoredReport(*row)


def drop_letters(connection: Connection, *, taken_before: datetime) -> int:
    """Forget what older letters say and who wrote them, not that they came; returns how many."""
    dropped = connection.execute(
        sa.update(reports)
        .where(reports.c.letter.is_not(None), reports.c.at < taken_before)
        .values(letter=None, words="", address="")
    )
    return dropped.rowcount
