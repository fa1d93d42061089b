"""Deliveries: what a claimed batch has to do, taking it in hand, and giving it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import attempts, batches, bulk, doubts, reachability, tables
from distributor.ledger.batches import Claim
from distributor.ledger.states import WAITING_STATES, DeliveryState, SendState
from distributor.ledger.tables import (
    deliveries,
    renderings,
    sends,
    subscribers,
)

#: Code of a delivery that had not ended at its send's deadline.
EXPIRED = "expired"
#: Batches of which what waits is ended in one transaction: it is a short one, whatever the size of
#: the send.
_BATCHES_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Pending:
    """A delivery that waits for an attempt."""

    id: int
    subscriber_id: int
    rendering_id: int
    address: str
    name: str
    attributes: Mapping[str, str]
    attempts: int
    #: Message ids of the parts that the platform has accepted, in order.
    accepted: tuple[str, ...]
    #: How many parts the platform has accepted.
    accepted_parts: int
    #: Set when it must not be tried any more: the address was suppressed or the person left.
    skip: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """What a delivery becomes after a try."""

    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None = None
    #: The address that the recipient moved to.
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """What was ended of a few batches."""

    #: Deliveries.
    number: int
    #: The last of the batches; None when there are no more after it.
    last_batch: int | None


def due(connection: Connection, claim: Claim, *, at: datetime, limit: int) -> list[Pending]:
    """Deliveries of the claimed batch that may be tried now, in order of their ids."""
    ready = sa.and_(
        deliveries.c.state.in_(WAITING_STATES),
        sa.or_(deliveries.c.next_attempt_at.is_(None), deliveries.c.next_attempt_at <= at),
    )
    rows = connection.execute(
        sa.select(
            deliveries.c.id,
            deliveries.c.subscriber_id,
            deliveries.c.rendering_id,
            deliveries.c.address,
            deliveries.c.attempts,
            subscribers.c.name,
            subscribers.c.attributes,
        )
        .select_from(deliveries.join(subscribers))
        .where(deliveries.c.batch_id == claim.batch_id, ready)
        # By the batch first, so that one index gives the rows in this order.
        .order_by(deliveries.c.batch_id, deliveries.c.id)
        .limit(limit)
    ).all()
    accepted = attempts.accepted_parts(connection, [row.id for row in rows])
    suppressed = reachability.suppressed(connection, claim.channel, [row.address for row in rows])
    gone = reachability.gone(connection, claim.send_id, {row.subscriber_id for row in rows})
    return [
        Pending(
            id=id_,
            subscriber_id=subscriber_id,
            rendering_id=rendering_id,
            address=address,
            name=name,
            attributes=attributes or {},
            attempts=tries,
            accepted=tuple(m for m in accepted.get(id_, ()) if m),
            accepted_parts=len(accepted.get(id_, ())),
            skip=_reason_to_skip(address in suppressed, subscriber_id in gone),
        )
        for id_, subscriber_id, rendering_id, address, tries, name, attributes in rows
    ]


def payloads(connection: Connection, rendering_id: int) -> list[Mapping[str, Any]]:
    """The payloads of a frozen rendering's parts, in order."""
    query = sa.select(renderings.c.parts).where(renderings.c.id == rendering_id)
    stored: list[Mapping[str, Any]] = connection.execute(query).scalar_one()
    return stored


def take(
    connection: Connection, claim: Claim, delivery_ids: Sequence[int], at: datetime
) -> set[int]:
    """Take deliveries into this worker's hands, before any of their messages leaves.

    Returns those that were taken: none when the lease was lost, the send is paused or canceled
    or its deadline is over, and none that has ended meanwhile.
    """
    taken = connection.execute(
        sa.update(deliveries)
        .where(
            bulk.among(connection, deliveries.c.id, delivery_ids),
            deliveries.c.state.in_(WAITING_STATES),
            _may_send(claim, at),
        )
        .values(
            state=DeliveryState.SENDING,
            attempts=deliveries.c.attempts + 1,
            next_attempt_at=None,
            updated_at=at,
        )
        .returning(deliveries.c.id)
    )
    return set(taken.scalars())


def postpone(
    connection: Connection, delivery_ids: Sequence[int], until: datetime, at: datetime
) -> None:
    """Let deliveries wait that are due and in nobody's hands; no attempt of theirs is spent."""
    if delivery_ids:
        waits = deliveries.c.state.in_(WAITING_STATES)
        connection.execute(
            sa.update(deliveries)
            .where(bulk.among(connection, deliveries.c.id, delivery_ids), waits)
            .values(next_attempt_at=until, updated_at=at)
        )


def end_wait(connection: Connection, account: str, until: datetime, at: datetime) -> None:
    """Let the account's deliveries that were postponed until then be due at once."""
    # Each of them is in a batch that is due then or sooner: the others are not looked at.
    here = sa.select(tables.batches.c.id).where(
        tables.batches.c.account == account, tables.batches.c.due_at <= until
    )
    woken = connection.execute(
        sa.update(deliveries)
        .where(
            deliveries.c.batch_id.in_(here),
            deliveries.c.next_attempt_at == until,
            deliveries.c.state.in_(WAITING_STATES),
        )
        .values(next_attempt_at=at, updated_at=at)
        .returning(deliveries.c.batch_id)
    )
    for batch_id in sorted(set(woken.scalars())):
        batches.wake(connection, batch_id, at)


def put_back(
    connection: Connection,
    claim: Claim,
    delivery_ids: Sequence[int],
    at: datetime,
    *,
    not_before: datetime | None = None,
) -> None:
    """Give back deliveries that were taken and of which no message has left."""
    untried = deliveries.c.attempts <= 1
    connection.execute(
        sa.update(deliveries)
        .where(_taken(connection, claim, delivery_ids))
        .values(
            state=sa.case(
                (untried, DeliveryState.QUEUED.value), else_=DeliveryState.RETRYING.value
            ),
            attempts=deliveries.c.attempts - 1,
            next_attempt_at=not_before or sa.case((untried, None), else_=_moment(at)),
            updated_at=at,
        )
    )


def end_accepted(
    connection: Connection, claim: Claim, delivery_ids: Sequence[int], at: datetime
) -> None:
    """End deliveries that were taken and of which every part was accepted before."""
    connection.execute(
        sa.update(deliveries)
        .where(_taken(connection, claim, delivery_ids))
        .values(state=DeliveryState.SENT, next_attempt_at=None, updated_at=at)
    )


def may_go_on(connection: Connection, claim: Claim, at: datetime) -> bool:
    """Whether the claim holds and its send is neither paused nor canceled nor out of time."""
    return bool(connection.execute(sa.select(_may_send(claim, at))).scalar())


def skip(connection: Connection, delivery_id: int, reason: str, at: datetime) -> None:
    """End a delivery that is not in anybody's hands because its recipient must not get it."""
    only_this = deliveries.c.id == delivery_id
    end_waiting(connection, only_this, DeliveryState.SKIPPED, reason, at)


def expire(connection: Connection, at: datetime, *, after: int = 0) -> Ended:
    """End what still waits past its send's deadline, in the next batches behind batch `after`."""
    # Found first: PostgreSQL would look through every delivery there is for those of no send. And
    # locked, as an operator locks them who gives one of them another deadline.
    query = (
        sa.select(sends.c.id)
        .where(
            sends.c.state.in_((SendState.SENDING, SendState.PAUSED)),
            sends.c.deadline_at <= at,
            sends.c.id.in_(batches.sends_with_work()),
        )
        .order_by(sends.c.id)
        .with_for_update(key_share=True, of=sends)
    )
    late = connection.execute(query).scalars().all()
    return end_some(connection, late, DeliveryState.FAILED, EXPIRED, at, after=after)


def end_some(
    connection: Connection,
    send_ids: Sequence[int],
    state: DeliveryState,
    code: str,
    at: datetime,
    *,
    after: int,
) -> Ended:
    """End what waits of these sends, in their next batches behind batch `after`."""
    if not send_ids:
        return Ended(0, None)
    found = batches.with_work(connection, send_ids, after=after, limit=_BATCHES_AT_ONCE + 1)
    chosen = found[:_BATCHES_AT_ONCE]
    if not chosen:
        return Ended(0, None)
    of_these = bulk.among(connection, deliveries.c.batch_id, chosen)
    number = end_waiting(connection, of_these, state, code, at)
    batches.retire(connection, chosen)
    return Ended(number, chosen[-1] if len(found) > len(chosen) else None)


def end_waiting(
    connection: Connection,
    chosen: sa.ColumnElement[bool],
    state: DeliveryState,
    code: str,
    at: datetime,
) -> int:
    """End what waits of `chosen`; returns how many deliveries that were.

    What is in doubt is `unknown`, whatever ends it.
    """
    waits = sa.and_(chosen, deliveries.c.state.in_(WAITING_STATES))
    in_doubt = doubts.end(connection, waits, at)
    ended = connection.execute(
        sa.update(deliveries)
        .where(waits)
        .values(state=state, code=code, next_attempt_at=None, updated_at=at)
    )
    return in_doubt + ended.rowcount


def _holds(claim: Claim) -> sa.ColumnElement[bool]:
    leased = tables.batches.c
    return sa.exists().where(leased.id == claim.batch_id, leased.lease_token == claim.token)


def _taken(
    connection: Connection, claim: Claim, delivery_ids: Sequence[int]
) -> sa.ColumnElement[bool]:
    """True of those of the deliveries that are in the hands of the claim's holder."""
    return sa.and_(
        bulk.among(connection, deliveries.c.id, delivery_ids),
        deliveries.c.state == DeliveryState.SENDING,
        _holds(claim),
    )


def _may_send(claim: Claim, at: datetime) -> sa.ColumnElement[bool]:
    # The deadline is read, not the claim's: an operator may have moved it.
    sending = sa.exists().where(
        sends.c.id == claim.send_id, sends.c.state == SendState.SENDING, sends.c.deadline_at > at
    )
    return sa.and_(_holds(claim), sending)


def _moment(at: datetime) -> sa.ColumnElement[datetime]:
    return sa.literal(at, deliveries.c.next_attempt_at.type)


def _reason_to_skip(is_suppressed: bool, is_gone: bool) -> str | None:
    if is_suppressed:
        return "suppressed"
    return "unsubscribed" if is_gone else None
