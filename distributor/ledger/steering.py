"""Steering a send by hand: stopping it, ending it, and putting deliveries back to work.

A caller locks the send first; then each move is a compare-and-set, so that two operators, or an
operator and a worker, cannot undo each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import attempts, log, sends, tables
from distributor.ledger.attempts import Attempt
from distributor.ledger.batches import retire, sends_with_work
from distributor.ledger.sends import Send
from distributor.ledger.states import DeliveryState, SendState
from distributor.ledger.tables import batches, deliveries, send_audiences, suppressions

#: Who "tried" what an operator wrote into the delivery log.
OPERATOR = "operator"
#: Codes of what operators decided.
RETRY = "retry"
RESOLVED_SENT = "resolved-sent"
RESOLVED_RESEND = "resolved-resend"
CANCELED = "canceled"

_CANCELABLE = (
    SendState.DRAFT,
    SendState.SCHEDULED,
    SendState.PREPARING,
    SendState.SENDING,
    SendState.PAUSED,
    SendState.HELD,
)
_WAITING = (DeliveryState.QUEUED, DeliveryState.RETRYING)
#: The platform has it, or may have it.
_HANDED_OVER = (
    DeliveryState.SENDING,
    DeliveryState.SENT,
    DeliveryState.BOUNCED,
    DeliveryState.COMPLAINED,
    DeliveryState.UNKNOWN,
)
#: Deliveries that are moved at a time: keeps memory flat, whatever the size of the send.
_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Choice:
    """Which deliveries of a send are meant; what is left empty fits all."""

    codes: Collection[str] = ()
    channels: Collection[str] = ()
    #: An address or a subscriber's id.
    subscriber: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What an operator decided about deliveries, as the log will tell it."""

    code: str
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A delivery that an operator decides about."""

    id: int
    rendering_id: int
    #: How many parts the platform has accepted.
    accepted: int


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
    return _move(connection, send_id, (SendState.DRAFT,), state=onward, deadline_at=deadline_at)


def resume(connection: Connection, send_id: int, at: datetime) -> bool:
    """Go on where a pause stopped the send; False when it is not paused."""
    planned = tables.sends.c.intended.is_not(None)
    onward = sa.case((planned, SendState.SENDING.value), else_=SendState.PREPARING.value)
    if not _move(connection, send_id, (SendState.PAUSED,), state=onward):
        return False
    _wake(connection, send_id, at)
    return True


def cancel(connection: Connection, send_id: int, at: datetime) -> bool:
    """End the send; False when it has ended. What is in flight keeps its outcome.

    When nothing of it was handed over, its revision may be sent to the same lists again.
    """
    canceled = _move(connection, send_id, _CANCELABLE, state=SendState.CANCELED, finished_at=at)
    if canceled:
        end_canceled(connection, at)
        connection.execute(
            sa.update(send_audiences)
            .where(send_audiences.c.send_id == send_id, ~_handed_over(send_id))
            .values(run=None)
        )
    return canceled


def end_canceled(connection: Connection, at: datetime) -> int:
    """End what still waits in canceled sends; returns how many deliveries that were.

    A delivery that was in flight when its send was canceled may wait again afterwards. One that
    waits only because nobody knows whether it arrived stays unknown.
    """
    query = sa.select(tables.sends.c.id).where(
        tables.sends.c.state == SendState.CANCELED,
        tables.sends.c.id.in_(sends_with_work()),
    )
    canceled = connection.execute(query).scalars().all()
    if not canceled:
        return 0
    waits = sa.and_(deliveries.c.send_id.in_(canceled), deliveries.c.state.in_(_WAITING))
    in_doubt = sa.and_(
        waits,
        deliveries.c.state == DeliveryState.RETRYING,
        attempts.last_outcome(deliveries.c.id) == DeliveryState.UNKNOWN,
    )
    end = sa.update(deliveries).values(next_attempt_at=None, updated_at=at)
    doubtful = connection.execute(end.where(in_doubt).values(state=DeliveryState.UNKNOWN))
    ended = connection.execute(
        end.where(waits).values(state=DeliveryState.CANCELED, code=CANCELED, reply=None)
    )
    retire(connection, canceled)
    return doubtful.rowcount + ended.rowcount


def requeue(
    connection: Connection,
    send_id: int,
    state: DeliveryState,
    choice: Choice,
    decision: Decision,
) -> int:
    """Put chosen deliveries that ended in `state` back to work; returns how many.

    Parts that the platform accepted are not sent again. Suppressed addresses are left out.
    """
    number = 0
    for chosen in _chunks(
        connection, sa.and_(_fits(connection, send_id, state, choice), ~_suppressed())
    ):
        _note(connection, chosen, DeliveryState.QUEUED, decision)
        _decide(connection, chosen, DeliveryState.QUEUED, decision)
        number += len(chosen)
    return number


def believe_sent(
    connection: Connection, send: Send, choice: Choice, decision: Decision
) -> tuple[int, int]:
    """Take the part that is in doubt as accepted, in chosen deliveries that are unknown.

    Returns how many are sent by that, and how many have parts left: those are queued again, or
    canceled where the send was.
    """
    sizes = part_counts(connection, send.id)
    is_over = send.state is SendState.CANCELED
    onward = DeliveryState.CANCELED if is_over else DeliveryState.QUEUED
    complete = partial = 0
    for chosen in _chunks(connection, _fits(connection, send.id, DeliveryState.UNKNOWN, choice)):
        noted = _note(connection, chosen, DeliveryState.SENT, decision)
        attempts.keep_parts(connection, noted)
        whole = [row for row in chosen if row.accepted + 1 >= sizes[row.rendering_id]]
        rest = [row for row in chosen if row.accepted + 1 < sizes[row.rendering_id]]
        _decide(connection, whole, DeliveryState.SENT, decision)
        _decide(connection, rest, onward, decision)
        complete += len(whole)
        partial += len(rest)
    return complete, partial


def part_counts(connection: Connection, send_id: int) -> dict[int, int]:
    """How many parts each rendering of a send has."""
    frozen = tables.renderings.c
    query = sa.select(frozen.id, sa.func.json_array_length(frozen.parts))
    rows = connection.execute(query.where(frozen.send_id == send_id))
    return {row[0]: row[1] for row in rows}


def count_suppressed(
    connection: Connection, send_id: int, state: DeliveryState, choice: Choice
) -> int:
    """Chosen deliveries whose address must not be sent to any more."""
    query = sa.select(sa.func.count()).select_from(deliveries)
    number: int = connection.execute(
        query.where(_fits(connection, send_id, state, choice), _suppressed())
    ).scalar_one()
    return number


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
    """Make the batches that hold queued deliveries due, and forget hints that were for nothing."""
    queued = sa.exists().where(
        deliveries.c.batch_id == batches.c.id, deliveries.c.state == DeliveryState.QUEUED
    )
    now = sa.literal(at, batches.c.due_at.type)
    of_send = sa.select(batches.c.id).where(batches.c.send_id == send_id)
    connection.execute(of_send.order_by(batches.c.id).with_for_update(key_share=True))
    connection.execute(
        sa.update(batches)
        .where(batches.c.send_id == send_id)
        .values(due_at=sa.case((queued, now), else_=batches.c.due_at), hinted_at=None)
    )


def _chunks(connection: Connection, where: sa.ColumnElement[bool]) -> Iterator[Sequence[_Chosen]]:
    """The deliveries for which `where` is true, locked, some at a time."""
    parts = tables.parts
    accepted = (
        sa.select(sa.func.count())
        .where(parts.c.delivery_id == deliveries.c.id, parts.c.state == DeliveryState.SENT)
        .scalar_subquery()
    )
    query = (
        sa.select(
            deliveries.c.id,
            deliveries.c.rendering_id,
            accepted.label("accepted"),
        )
        .where(where)
        .order_by(deliveries.c.id)
        .limit(_CHUNK)
        .with_for_update(key_share=True, of=deliveries)
    )
    last = 0
    while rows := connection.execute(query.where(deliveries.c.id > last)).all():
        chosen = [_Chosen(*row) for row in rows]
        yield chosen
        last = chosen[-1].id


def _note(
    connection: Connection,
    chosen: Sequence[_Chosen],
    outcome: DeliveryState,
    decision: Decision,
) -> list[Attempt]:
    """Add the operator's decision to the delivery log, with the number 0: it is no try."""
    notes = [
        Attempt(
            delivery_id=row.id,
            part=row.accepted + 1,
            number=0,
            at=decision.at,
            outcome=outcome,
            code=decision.code,
            reply=decision.words,
            message_id=None,
            worker=OPERATOR,
            duration_ms=0,
        )
        for row in chosen
    ]
    attempts.add(connection, notes)
    return notes


def _decide(
    connection: Connection,
    chosen: Sequence[_Chosen],
    state: DeliveryState,
    decision: Decision,
) -> None:
    values: dict[str, Any] = {
        "state": state,
        "next_attempt_at": None,
        "code": decision.code,
        "reply": decision.words,
        "updated_at": decision.at,
    }
    if state is DeliveryState.QUEUED:
        values["attempts"] = 0
    ids = [row.id for row in chosen]
    connection.execute(sa.update(deliveries).where(deliveries.c.id.in_(ids)).values(values))


def _fits(
    connection: Connection, send_id: int, state: DeliveryState, choice: Choice
) -> sa.ColumnElement[bool]:
    conditions = [deliveries.c.send_id == send_id, tables.in_state(state)]
    if choice.codes:
        conditions.append(deliveries.c.code.in_(choice.codes))
    if choice.channels:
        conditions.append(deliveries.c.channel.in_(choice.channels))
    if choice.subscriber is not None:
        conditions.append(log.is_of(connection, send_id, choice.subscriber))
    return sa.and_(*conditions)


def _suppressed() -> sa.ColumnElement[bool]:
    return sa.exists().where(
        suppressions.c.channel == deliveries.c.channel,
        suppressions.c.address == deliveries.c.address,
    )


def _handed_over(send_id: int) -> sa.ColumnElement[bool]:
    """True when the platforms have, or may have, any part of the send."""
    of_send = deliveries.c.send_id == send_id
    parts = tables.parts
    return sa.or_(
        sa.exists().where(of_send, deliveries.c.state.in_(_HANDED_OVER)),
        sa.exists().where(
            of_send,
            parts.c.delivery_id == deliveries.c.id,
            parts.c.state == DeliveryState.SENT,
        ),
    )
