"""What stands still although it could move: by what is due, whoever says that they are alive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.states import SendState
from distributor.ledger.tables import attempts, batches, breakers, deliveries, sends

#: A batch that is due, or a send with deliveries left, stands still when nothing happens so long.
PATIENCE = timedelta(seconds=30)
#: A scheduled send that should have begun before that is late.
_LATE = timedelta(seconds=10)
#: To plan a send to a million readers takes less than a minute.
_PLANNING = timedelta(minutes=3)
#: Attempts that one look reads, the newest.
_NEWEST = 500


@dataclass(frozen=True, slots=True)
class Standstill:
    send_id: int
    #: Where batches are due and nobody takes them; None: the send was to begin and has not.
    channel: str | None
    since: datetime


def all_(connection: Connection, at: datetime) -> tuple[Standstill, ...]:
    """Sends that were to begin and did not, and channels of sends whose batches nobody takes."""
    return (*_not_begun(connection, at), *_not_taken(connection, at))


def has_moved(connection: Connection, send_id: int, since: datetime) -> bool:
    """Whether a message of the send was tried since then.

    Also true when so much of other sends was tried since that one of this may have escaped notice.
    """
    newest = _newest_attempts(connection)
    if len(newest) == _NEWEST and all(at >= since for _, _, at in newest):
        return True
    return any(one == send_id and at >= since for one, _, at in newest)


def _not_begun(connection: Connection, at: datetime) -> Iterator[Standstill]:
    """Scheduled sends that are late, and those whose preparation takes too long or fails anew."""
    is_scheduled = sends.c.state == SendState.SCHEDULED
    is_preparing = sends.c.state == SendState.PREPARING
    since = sa.case((is_scheduled, sends.c.scheduled_for), else_=sends.c.preparing_since)
    query = sa.select(sends.c.id, since).where(
        sa.or_(
            sa.and_(is_scheduled, sends.c.scheduled_for < at - _LATE),
            sa.and_(is_preparing, sends.c.preparing_since < at - _PLANNING),
        )
    )
    for send_id, began in connection.execute(query.order_by(sends.c.id)):
        yield Standstill(send_id, None, began)


def _not_taken(connection: Connection, at: datetime) -> Iterator[Standstill]:
    """A limit of rates or an account at rest explains it, and so does work on other batches."""
    before = at - PATIENCE
    was_leased = batches.c.leased_until > batches.c.due_at
    since = sa.case((was_leased, batches.c.leased_until), else_=batches.c.due_at)
    query = (
        sa.select(
            batches.c.send_id, batches.c.channel, sa.func.min(since, type_=batches.c.due_at.type)
        )
        .join(sends)
        .where(
            sends.c.state == SendState.SENDING,
            batches.c.due_at < before,
            sa.or_(batches.c.leased_until.is_(None), batches.c.leased_until < before),
            ~sa.exists().where(
                breakers.c.account == batches.c.account, breakers.c.open_until >= before
            ),
        )
        .group_by(batches.c.send_id, batches.c.channel)
        .order_by(batches.c.send_id, batches.c.channel)
    )
    found = [Standstill(*row) for row in connection.execute(query)]
    at_work = _channels_at_work(connection, at) if found else ()
    yield from (one for one in found if one.channel not in at_work)


def _channels_at_work(connection: Connection, at: datetime) -> frozenset[str]:
    """Those where a worker has a batch, or has tried a message lately."""
    held = sa.select(batches.c.channel).where(
        batches.c.due_at.is_not(None), batches.c.leased_until >= at
    )
    leased = connection.scalars(held.distinct())
    tried = (
        channel
        for _, channel, tried_at in _newest_attempts(connection)
        if tried_at >= at - PATIENCE
    )
    return frozenset((*leased, *tried))


def _newest_attempts(connection: Connection) -> list[tuple[int, str, datetime]]:
    """Send, channel and time of each: few, by their number, however many there are."""
    newest = (
        sa.select(attempts.c.delivery_id, attempts.c.at)
        .order_by(attempts.c.id.desc())
        .limit(_NEWEST)
        .subquery()
    )
    query = sa.select(deliveries.c.send_id, deliveries.c.channel, newest.c.at).join(
        newest, newest.c.delivery_id == deliveries.c.id
    )
    return [(send_id, channel, at) for send_id, channel, at in connection.execute(query)]
