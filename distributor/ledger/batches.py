"""Batches: a share of a send's deliveries that one worker at a time works on, under a lease."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import bulk
from distributor.ledger.states import OPEN_STATES, DeliveryState, SendState
from distributor.ledger.tables import batches, deliveries, digests, sends

#: Batches of an account that are hinted anew after it rested.
_HINTED_ANEW = 100


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a batch, as long as the lease is renewed."""

    batch_id: int
    token: str
    send_id: int
    channel: str
    account: str
    revision: str
    #: The token of the holder before, when it did not give the lease back itself.
    former: str | None = None

    @property
    def about(self) -> dict[str, object]:
        """What a log line about it carries."""
        return {
            "send": self.send_id,
            "batch": self.batch_id,
            "channel": self.channel,
            "account": self.account,
        }


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that was not given back."""

    batch_id: int
    token: str
    #: The identity of the worker that got it.
    holder: str


def account_of(connection: Connection, batch_id: int) -> str | None:
    """The account that a batch is delivered over; None when the batch is not there."""
    query = sa.select(batches.c.account).where(batches.c.id == batch_id)
    found: str | None = connection.execute(query).scalar()
    return found


def claim(
    connection: Connection, batch_id: int, *, worker: str, at: datetime, lease: timedelta
) -> Claim | None:
    """Take the lease of a batch; None when it is not due, taken, or its send has no work."""
    may = sa.and_(batches.c.due_at <= at, is_free(at), has_work())
    return _take_lease(connection, batch_id, may, worker, at + lease)


def seize(
    connection: Connection,
    batch_id: int,
    *,
    token: str,
    worker: str,
    at: datetime,
    lease: timedelta,
) -> Claim | None:
    """Take the lease from a worker that is known to be lost; None when `token` holds it no more."""
    return _take_lease(connection, batch_id, batches.c.lease_token == token, worker, at + lease)


def lock_lease(connection: Connection, claim: Claim) -> bool:
    """Whether the lease is still the claim's; if so, nobody takes it in this transaction."""
    query = (
        sa.select(batches.c.id)
        .where(batches.c.id == claim.batch_id, batches.c.lease_token == claim.token)
        .with_for_update()
    )
    return connection.execute(query).first() is not None


def renew(connection: Connection, tokens: Sequence[str], until: datetime) -> set[str]:
    """Extend the leases that `tokens` hold; returns those that still held."""
    renewed = connection.execute(
        sa.update(batches)
        .where(batches.c.lease_token.in_(tokens))
        .values(leased_until=until)
        .returning(batches.c.lease_token)
    )
    return set(renewed.scalars())


def release(connection: Connection, claim: Claim, at: datetime) -> datetime | None:
    """Give the lease back and say when the batch is due again; None when it has ended."""
    # Locked before it is read, so that a wake-up by somebody else is not overwritten.
    lock_lease(connection, claim)
    due_at = _next_due(connection, claim.batch_id, at)
    connection.execute(
        sa.update(batches)
        .where(batches.c.id == claim.batch_id, batches.c.lease_token == claim.token)
        .values(due_at=due_at, lease_token=None, leased_by=None, leased_until=None, hinted_at=None)
    )
    return due_at


def wake(connection: Connection, batch_id: int, at: datetime) -> None:
    """Make a batch due at that time, unless it is sooner."""
    later = sa.or_(batches.c.due_at.is_(None), batches.c.due_at > at)
    connection.execute(
        sa.update(batches).where(batches.c.id == batch_id, later).values(due_at=at, hinted_at=None)
    )


def retire(connection: Connection, batch_ids: Sequence[int]) -> None:
    """Let those of the batches be due no more in which every delivery has ended and that nobody
    holds.

    One whose lease was not given back stays due, so that somebody settles it.
    """
    is_open = sa.exists().where(
        deliveries.c.batch_id == batches.c.id, deliveries.c.state.in_(OPEN_STATES)
    )
    connection.execute(
        sa.update(batches)
        .where(
            bulk.among(connection, batches.c.id, batch_ids),
            batches.c.due_at.is_not(None),
            batches.c.lease_token.is_(None),
            ~is_open,
        )
        .values(due_at=None, hinted_at=None)
    )


def sends_with_work() -> sa.Select[tuple[int]]:
    """The sends of which a batch is due or held, for use inside another statement."""
    return sa.select(batches.c.send_id).where(_is_due_or_held())


def with_work(
    connection: Connection, send_ids: Sequence[int], *, after: int, limit: int
) -> Sequence[int]:
    """Ids of the first batches of these sends behind batch `after` that are due or held."""
    query = sa.select(batches.c.id).where(
        batches.c.send_id.in_(send_ids), batches.c.id > after, _is_due_or_held()
    )
    return connection.execute(query.order_by(batches.c.id).limit(limit)).scalars().all()


def rest(connection: Connection, account: str, until: datetime) -> None:
    """Leave the account's free batches alone until then; their deliveries keep their states.

    Whoever takes up a hint for one of them finds nothing to do. Some are therefore hinted anew as
    soon as the rest is over; not all, because there may be thousands and the next rest may be near.
    """
    to_rest = sa.and_(
        batches.c.account == account, batches.c.due_at < until, batches.c.lease_token.is_(None)
    )
    # Whoever has one of them at this moment will see for themselves.
    ids = locked(connection, to_rest, skip_locked=True)
    # Always the same ones, however often an account rests.
    first = bulk.among(connection, batches.c.id, ids[:_HINTED_ANEW])
    was_hinted = batches.c.hinted_at.is_not(None)
    connection.execute(sa.update(batches).where(first, was_hinted).values(hinted_at=None))
    resting = bulk.among(connection, batches.c.id, ids)
    connection.execute(sa.update(batches).where(resting).values(due_at=until))


def end_rest(connection: Connection, account: str, until: datetime, at: datetime) -> None:
    """Let the account's batches that rest until then be due at another time."""
    rests = sa.and_(
        batches.c.account == account, batches.c.due_at == until, batches.c.lease_token.is_(None)
    )
    ids = locked(connection, rests)
    connection.execute(
        sa.update(batches)
        .where(bulk.among(connection, batches.c.id, ids))
        .values(due_at=at, hinted_at=None)
    )


def held(connection: Connection) -> tuple[Lease, ...]:
    """Leases that were not given back, of batches in which there is something to do."""
    query = sa.select(batches.c.id, batches.c.lease_token, batches.c.leased_by).where(
        # Few of all that ever were, and known by an index.
        batches.c.due_at.is_not(None),
        batches.c.leased_by.is_not(None),
    )
    return tuple(Lease(*row) for row in connection.execute(query))


def with_token(connection: Connection, batch_id: int, token: str) -> Claim | None:
    """The claim that `token` stood for, current or not; None when the batch is not there."""
    row = connection.execute(_CLAIMED.where(batches.c.id == batch_id)).one_or_none()
    return Claim(batch_id, token, *row) if row else None


def drop(connection: Connection, claim: Claim, at: datetime) -> None:
    """End the lease without giving it back: whoever claims the batch next settles it first."""
    connection.execute(
        sa.update(batches)
        .where(batches.c.id == claim.batch_id, batches.c.lease_token == claim.token)
        .values(leased_until=at - timedelta(seconds=1), due_at=at, hinted_at=None)
    )


def locked(
    connection: Connection,
    where: sa.ColumnElement[bool],
    *,
    skip_locked: bool = False,
    limit: int | None = None,
) -> Sequence[int]:
    """Ids of the batches for which `where` is true, held for this transaction.

    Always in the same order, so that two who want many of them cannot wait for each other.
    """
    query = sa.select(batches.c.id).where(where).order_by(batches.c.id).limit(limit)
    locked = query.with_for_update(key_share=True, skip_locked=skip_locked)
    return connection.execute(locked).scalars().all()


_CLAIMED = sa.select(
    batches.c.send_id,
    batches.c.channel,
    batches.c.account,
    digests.c.revision,
).select_from(batches.join(sends).join(digests))


def _take_lease(
    connection: Connection,
    batch_id: int,
    may: sa.ColumnElement[bool],
    worker: str,
    until: datetime,
) -> Claim | None:
    found = connection.execute(
        sa.select(batches.c.lease_token).where(batches.c.id == batch_id, may).with_for_update()
    ).one_or_none()
    if found is None:
        return None
    token = uuid4().hex
    connection.execute(
        sa.update(batches)
        .where(batches.c.id == batch_id)
        .values(lease_token=token, leased_by=worker, leased_until=until)
    )
    row = connection.execute(_CLAIMED.where(batches.c.id == batch_id)).one()
    return Claim(batch_id, token, *row, former=found[0])


def is_free(at: datetime) -> sa.ColumnElement[bool]:
    """Nobody has the lease."""
    return sa.or_(batches.c.leased_until.is_(None), batches.c.leased_until < at)


def has_work() -> sa.ColumnElement[bool]:
    """The send is sending; or it is canceled, and a lost worker left something to be settled."""
    state = sa.select(sends.c.state).where(sends.c.id == batches.c.send_id).scalar_subquery()
    is_left = sa.and_(state == SendState.CANCELED, batches.c.lease_token.is_not(None))
    return sa.or_(state == SendState.SENDING, is_left)


def _is_due_or_held() -> sa.ColumnElement[bool]:
    return sa.or_(batches.c.due_at.is_not(None), batches.c.lease_token.is_not(None))


def _next_due(connection: Connection, batch_id: int, at: datetime) -> datetime | None:
    now = sa.literal(at, deliveries.c.next_attempt_at.type)
    # A delivery still in `sending` was left there in flight: the next claim settles it.
    due = sa.case(
        (deliveries.c.state == DeliveryState.SENDING, now),
        else_=sa.func.coalesce(deliveries.c.next_attempt_at, now),
    )
    query = sa.select(sa.func.min(due, type_=deliveries.c.next_attempt_at.type)).where(
        deliveries.c.batch_id == batch_id, deliveries.c.state.in_(OPEN_STATES)
    )
    due_at: datetime | None = connection.execute(query).scalar()
    return due_at
