"""Sends: starting them once only, and moving them from state to state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.requests import RequestKey
from distributor.ledger.states import OPEN_STATES, SendState
from distributor.ledger.tables import (
    batches,
    deliveries,
    digests,
    lists,
    send_audiences,
    send_targets,
    sends,
)

#: Batches that are looked at before all of a send's deliveries are.
_A_FEW = 3


@dataclass(frozen=True, slots=True)
class Send:
    """A send as the ledger has it."""

    id: int
    digest_id: int
    revision: str
    title: str
    state: SendState
    is_test: bool
    held_reason: str | None
    #: What would have held it, and who sent it all the same; None for nearly all sends.
    forced: str | None
    forced_by: str | None
    created_at: datetime
    scheduled_for: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    deadline_at: datetime
    #: None until the audience is frozen.
    intended: int | None
    #: When its attempts were dropped; None while the log is whole.
    attempts_dropped_at: datetime | None


@dataclass(frozen=True, slots=True, order=True)
class Audience:
    """One list on one channel."""

    list_id: int
    channel: str


@dataclass(frozen=True, slots=True)
class Forced:
    """Why a send would have been held, and who sent it all the same."""

    reason: str
    by: str


_SEND = sa.select(
    sends.c.id,
    sends.c.digest_id,
    digests.c.revision,
    digests.c.title,
    sends.c.state,
    sends.c.is_test,
    sends.c.held_reason,
    sends.c.forced,
    sends.c.forced_by,
    sends.c.created_at,
    sends.c.scheduled_for,
    sends.c.started_at,
    sends.c.finished_at,
    sends.c.deadline_at,
    sends.c.intended,
    sends.c.attempts_dropped_at,
).join_from(sends, digests)


def find(connection: Connection, send_id: int) -> Send | None:
    """The send, or None when there is none with this id."""
    row = connection.execute(_SEND.where(sends.c.id == send_id)).mappings().one_or_none()
    return Send(**row) if row else None


def latest(connection: Connection, limit: int) -> tuple[Send, ...]:
    """The newest sends first."""
    rows = connection.execute(_SEND.order_by(sends.c.id.desc()).limit(limit)).mappings()
    return tuple(Send(**row) for row in rows)


def in_state(connection: Connection, *states: SendState) -> tuple[int, ...]:
    """Ids of all sends in one of `states`, oldest first."""
    query = sa.select(sends.c.id).where(sends.c.state.in_(states)).order_by(sends.c.id)
    return tuple(connection.execute(query).scalars())


def list_names(connection: Connection, send_id: int) -> tuple[str, ...]:
    """Names of the lists that a send goes to."""
    query = (
        sa.select(lists.c.name)
        .join(send_audiences)
        .where(send_audiences.c.send_id == send_id)
        .distinct()
        .order_by(lists.c.name)
    )
    return tuple(connection.execute(query).scalars())


def already_sent(
    connection: Connection, digest_id: int, audiences: Sequence[Audience]
) -> dict[Audience, int]:
    """Which of `audiences` this revision was sent to, with the newest send that did it."""
    query = (
        sa.select(
            send_audiences.c.list_id,
            send_audiences.c.channel,
            sa.func.max(send_audiences.c.send_id),
        )
        .where(send_audiences.c.digest_id == digest_id, send_audiences.c.run.is_not(None))
        .group_by(send_audiences.c.list_id, send_audiences.c.channel)
    )
    found = {Audience(row[0], row[1]): row[2] for row in connection.execute(query)}
    return {audience: found[audience] for audience in audiences if audience in found}


def create(
    connection: Connection,
    *,
    digest_id: int,
    state: SendState,
    audiences: Sequence[Audience] = (),
    targets: Sequence[int] = (),
    at: datetime,
    deadline_at: datetime,
    scheduled_for: datetime | None = None,
    again: bool = False,
    key: RequestKey | None = None,
    forced: Forced | None = None,
) -> int:
    """Write a send down and return its id.

    `targets` are subscriber ids of a test send. Unless `again`, an audience that this revision
    was sent to raises `sqlalchemy.exc.IntegrityError`, also when that happened since the caller
    looked; so does a `key` that has made a send.
    """
    send_id: int = connection.execute(
        sa.insert(sends)
        .values(
            digest_id=digest_id,
            state=state,
            is_test=bool(targets),
            created_at=at,
            preparing_since=at if state is SendState.PREPARING else None,
            scheduled_for=scheduled_for,
            deadline_at=deadline_at,
            idempotency_key=key.name if key else None,
            request_hash=key.request_hash if key else None,
            forced=forced.reason if forced else None,
            forced_by=forced.by if forced else None,
        )
        .returning(sends.c.id)
    ).scalar_one()
    runs = _last_runs(connection, digest_id) if again else {}
    if audiences:
        connection.execute(
            sa.insert(send_audiences),
            [
                {
                    "send_id": send_id,
                    "list_id": audience.list_id,
                    "channel": audience.channel,
                    "digest_id": digest_id,
                    "run": runs.get(audience, 0) + 1,
                }
                for audience in audiences
            ],
        )
    if targets:
        rows = [{"send_id": send_id, "subscriber_id": target} for target in targets]
        connection.execute(sa.insert(send_targets), rows)
    return send_id


def hold(connection: Connection, send_id: int, reason: str) -> None:
    """Keep a send that was not started from going out; its revision may be sent later.

    One that was started or canceled meanwhile is left as it is.
    """
    not_started = (SendState.DRAFT, SendState.SCHEDULED, SendState.PREPARING)
    held = connection.execute(
        sa.update(sends)
        .where(sends.c.id == send_id, sends.c.state.in_(not_started))
        .values(state=SendState.HELD, held_reason=reason)
    )
    if held.rowcount == 0:
        return
    connection.execute(
        sa.update(send_audiences).where(send_audiences.c.send_id == send_id).values(run=None)
    )


def held_before(connection: Connection, digest_id: int) -> int | None:
    """The send of this revision that is held already."""
    query = sa.select(sends.c.id).where(
        sends.c.digest_id == digest_id, sends.c.state == SendState.HELD
    )
    found: int | None = connection.execute(query.order_by(sends.c.id).limit(1)).scalar()
    return found


def is_locked(connection: Connection, send_id: int) -> bool:
    """Whether another transaction is changing the send. On SQLite none can be seen to.

    Ask in a transaction of its own: it locks the send itself when it is free.
    """
    free = sa.select(sends.c.id).where(sends.c.id == send_id)
    found = connection.execute(free.with_for_update(skip_locked=True, key_share=True)).first()
    return found is None


def begin(connection: Connection, send_id: int, *, at: datetime) -> bool:
    """Move a send that is being prepared on to `sending`; False when somebody else did."""
    moved = connection.execute(
        sa.update(sends)
        .where(sends.c.id == send_id, sends.c.state == SendState.PREPARING)
        .values(state=SendState.SENDING, started_at=at)
    )
    return moved.rowcount == 1


def set_intended(connection: Connection, send_id: int, intended: int) -> None:
    """Keep the size of the frozen audience, which the books must add up to."""
    connection.execute(sa.update(sends).where(sends.c.id == send_id).values(intended=intended))


def release_scheduled(connection: Connection, at: datetime) -> tuple[int, ...]:
    """Move sends whose time has come on to `preparing`; returns their ids."""
    due = connection.execute(
        sa.update(sends)
        .where(sends.c.state == SendState.SCHEDULED, sends.c.scheduled_for <= at)
        .values(state=SendState.PREPARING, preparing_since=at)
        .returning(sends.c.id)
    )
    return tuple(due.scalars())


def close_if_done(connection: Connection, send_id: int, at: datetime) -> bool:
    """Finish a send when every delivery has ended and the books balance, judged in SQL.

    A paused one, too: nothing is left that its pause could hold.
    """
    if _has_work_left(connection, send_id):
        return False
    # Locked before the deliveries are read, so that what an operator just queued is seen.
    started = sends.c.state.in_((SendState.SENDING, SendState.PAUSED))
    this = sa.select(sends.c.id).where(sends.c.id == send_id, started)
    if connection.execute(this.with_for_update(key_share=True)).first() is None:
        return False
    of_this = deliveries.c.send_id == send_id
    closed = connection.execute(
        sa.update(sends)
        .where(
            sends.c.id == send_id,
            started,
            ~sa.exists().where(of_this, deliveries.c.state.in_(OPEN_STATES)),
            sends.c.intended
            == sa.select(sa.func.count()).where(of_this).select_from(deliveries).scalar_subquery(),
        )
        .values(state=SendState.FINISHED, finished_at=at)
    )
    return closed.rowcount == 1


def _has_work_left(connection: Connection, send_id: int) -> bool:
    """A look at a few batches that are due: cheap, and nearly always the answer."""
    due = (
        sa.select(batches.c.id)
        .where(batches.c.send_id == send_id, batches.c.due_at.is_not(None))
        # The first ones are nearly done.
        .order_by(batches.c.id.desc())
        .limit(_A_FEW)
    )
    open_ = sa.select(deliveries.c.id).where(
        deliveries.c.batch_id.in_(connection.execute(due).scalars().all()),
        deliveries.c.state.in_(OPEN_STATES),
    )
    return connection.execute(open_.limit(1)).first() is not None


def _last_runs(connection: Connection, digest_id: int) -> dict[Audience, int]:
    query = (
        sa.select(
            send_audiences.c.list_id, send_audiences.c.channel, sa.func.max(send_audiences.c.run)
        )
        .where(send_audiences.c.digest_id == digest_id, send_audiences.c.run.is_not(None))
        .group_by(send_audiences.c.list_id, send_audiences.c.channel)
    )
    return {Audience(row[0], row[1]): row[2] for row in connection.execute(query)}
