"""Steering a send by hand: letting it go, stopping it, going on, ending it.

A caller locks the send first; then each move is a compare-and-set, so that two operators, or an
operator and a worker, cannot undo each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import sends, tables
from distributor.ledger.batches import sends_with_work
from distributor.ledger.deliveries import Ended, end_some
from distributor.ledger.sends import Send
from distributor.ledger.states import WAITING_STATES, DeliveryState, SendState
from distributor.ledger.tables import batches, deliveries, send_audiences

#: Code of what ends with its send.
CANCELED = "canceled"

_CANCELABLE = (
    SendState.DRAFT,
    SendState.SCHEDULED,
    SendState.PREPARING,
    SendState.SENDING,
    SendState.PAUSED,
    SendState.HELD,
)
#: The platform has it, or may have it.
_HANDED_OVER = (
    DeliveryState.SENDING,
    DeliveryState.SENT,
    DeliveryState.BOUNCED,
    DeliveryState.COMPLAINED,
    DeliveryState.UNKNOWN,
)


def lock(connection: Connection, send_id: int) -> Send | None:
    """The send, whose state nobody else changes until this transaction ends."""
    row = sa.select(tables.sends.c.id).where(tables.sends.c.id == send_id)
    connection.execute(row.with_for_update(key_share=True))
    return sends.find(connection, send_id)


def pause(connection: Connection, send_id: int) -> bool:
    """Let no further message leave; False when the send is not under way."""
    under_way = (SendState.PREPARING, SendState.SENDING)
    return _move(connection, send_id, under_way, state=SendState.PAUSED)


def approve(connection: Connection, send_id: int, at: datetime, deadline_at: datetime) -> bool:
    """Let a draft go, now or when it is scheduled for; False when it is none."""
    later = sa.and_(tables.sends.c.scheduled_for.is_not(None), tables.sends.c.scheduled_for > at)
    onward = sa.case((later, SendState.SCHEDULED.value), else_=SendState.PREPARING.value)
    since = sa.case((later, None), else_=sa.literal(at, tables.sends.c.preparing_since.type))
    return _move(
        connection,
        send_id,
        (SendState.DRAFT,),
        state=onward,
        deadline_at=deadline_at,
        preparing_since=since,
    )


def resume(connection: Connection, send_id: int, at: datetime) -> bool:
    """Go on where a pause stopped the send; False when it is not paused."""
    planned = tables.sends.c.intended.is_not(None)
    onward = sa.case((planned, SendState.SENDING.value), else_=SendState.PREPARING.value)
    before = tables.sends.c.preparing_since
    since = sa.case((planned, before), else_=sa.literal(at, before.type))
    paused = (SendState.PAUSED,)
    if not _move(connection, send_id, paused, state=onward, preparing_since=since):
        return False
    _wake(connection, send_id, at)
    return True


def cancel(connection: Connection, send_id: int, at: datetime) -> bool:
    """End the send; False when it has ended. What is in flight keeps its outcome.

    Nothing more of it leaves. What waits ends at once in its first batches, and in the others by
    `end_canceled`.
    """
    canceled = _move(connection, send_id, _CANCELABLE, state=SendState.CANCELED, finished_at=at)
    if canceled:
        end_canceled(connection, send_id, at)
    return canceled


def canceled_with_work(connection: Connection) -> Sequence[int]:
    """The canceled sends in which something may be left to end."""
    query = sa.select(tables.sends.c.id).where(
        tables.sends.c.state == SendState.CANCELED,
        tables.sends.c.id.in_(sends_with_work()),
    )
    return connection.execute(query.order_by(tables.sends.c.id)).scalars().all()


def end_canceled(connection: Connection, send_id: int, at: datetime, *, after: int = 0) -> Ended:
    """End what still waits in a canceled send, in its next batches behind batch `after`.

    A delivery that was in flight when its send was canceled may wait again afterwards. One that
    waits only because nobody knows whether it arrived stays unknown. When all has ended and
    nothing was handed over, the revision may be sent to the same lists again.
    """
    state = DeliveryState.CANCELED
    ended = end_some(connection, [send_id], state, CANCELED, at, after=after)
    if ended.last_batch is None:
        # Not sooner: a worker may take what waits until the cancellation is committed, and only
        # whoever ends it knows that none did.
        connection.execute(
            sa.update(send_audiences)
            .where(
                send_audiences.c.send_id == send_id,
                send_audiences.c.run.is_not(None),
                ~_handed_over(send_id),
            )
            .values(run=None)
        )
    return ended


def reopen(connection: Connection, send_id: int, *, deadline_at: datetime, at: datetime) -> None:
    """Let workers go on with a send that has got queued deliveries; a paused one stays paused.

    Its deadline is moved to `deadline_at`, unless that is sooner.
    """
    sooner = tables.sends.c.deadline_at < deadline_at
    connection.execute(
        sa.update(tables.sends)
        .where(tables.sends.c.id == send_id, sooner)
        .values(deadline_at=deadline_at)
    )
    finished = (SendState.FINISHED,)
    _move(connection, send_id, finished, state=SendState.SENDING, finished_at=None)
    _wake(connection, send_id, at)


def _move(
    connection: Connection, send_id: int, before: Sequence[SendState], **values: object
) -> bool:
    moved = connection.execute(
        sa.update(tables.sends)
        .where(tables.sends.c.id == send_id, tables.sends.c.state.in_(before))
        .values(**values)
    )
    return moved.rowcount == 1


def _wake(connection: Connection, send_id: int, at: datetime) -> None:
    """Make the batches that hold queued deliveries due, and forget hints that were for nothing.

    Those that fell due meanwhile are due from now on, because until now nobody was to take them.
    """
    queued = sa.exists().where(
        deliveries.c.batch_id == batches.c.id, deliveries.c.state == DeliveryState.QUEUED
    )
    now = sa.literal(at, batches.c.due_at.type)
    of_send = sa.select(batches.c.id).where(batches.c.send_id == send_id)
    connection.execute(of_send.order_by(batches.c.id).with_for_update(key_share=True))
    connection.execute(
        sa.update(batches)
        .where(batches.c.send_id == send_id)
        .values(
            due_at=sa.case((sa.or_(queued, batches.c.due_at < now), now), else_=batches.c.due_at),
            hinted_at=None,
        )
    )


def _handed_over(send_id: int) -> sa.ColumnElement[bool]:
    """True when the platforms have, or may have, any part of the send.

    What waits may have left before; once it has ended, its state says so.
    """
    of_send = deliveries.c.send_id == send_id
    parts = tables.parts
    return sa.or_(
        sa.exists().where(of_send, deliveries.c.state.in_((*_HANDED_OVER, *WAITING_STATES))),
        sa.exists().where(
            of_send,
            parts.c.delivery_id == deliveries.c.id,
            parts.c.state == DeliveryState.SENT,
        ),
    )
