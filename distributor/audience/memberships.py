"""Joining and leaving lists. Leaving keeps the row, so that nobody is brought back unasked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.database import insert_or_ignore
from distributor.ledger.tables import memberships


class LeftBy(StrEnum):
    """How somebody left a list."""

    #: The mail program's own button (RFC 8058).
    ONE_CLICK = "one-click"
    #: The button on the unsubscribe page.
    PAGE = "page"
    #: They told the bot of their messenger, or shut it out.
    BOT = "bot"
    #: An operator took them off.
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of each subscriber who was to join; every id is in exactly one set."""

    joined: frozenset[int]
    already: frozenset[int]
    #: They had left this list before, and were not brought back.
    left_before: frozenset[int]


def join(
    c: Connection,
    list_id: int,
    subscriber_ids: Collection[int],
    at: datetime,
    *,
    resubscribe: bool = False,
) -> Joined:
    """Put subscribers on a list; who left it before comes back only with `resubscribe`.

    Takes up to some thousands of ids at once.
    """
    rows = c.execute(
        sa.select(memberships.c.subscriber_id, memberships.c.unsubscribed_at).where(
            memberships.c.list_id == list_id, memberships.c.subscriber_id.in_(subscriber_ids)
        )
    ).all()
    left = frozenset(row.subscriber_id for row in rows if row.unsubscribed_at is not None)
    already = frozenset(row.subscriber_id for row in rows) - left
    new = frozenset(subscriber_ids) - already - left
    _insert(c, list_id, new, at)
    if resubscribe:
        _bring_back(c, list_id, left, at)
        return Joined(new | left, already, frozenset())
    return Joined(new, already, left)


def leave(
    c: Connection, subscriber_id: int, list_ids: Collection[int], by: LeftBy, at: datetime
) -> frozenset[int]:
    """Take a subscriber off these lists; returns the ids of those they were on until now."""
    left = c.scalars(
        sa.update(memberships)
        .where(
            memberships.c.subscriber_id == subscriber_id,
            memberships.c.list_id.in_(list_ids),
            memberships.c.unsubscribed_at.is_(None),
        )
        .values(unsubscribed_at=at, unsubscribed_by=by.value)
        .returning(memberships.c.list_id)
    )
    return frozenset(left)


def _insert(c: Connection, list_id: int, subscriber_ids: Collection[int], at: datetime) -> None:
    rows = [
        {"list_id": list_id, "subscriber_id": one, "subscribed_at": at}
        for one in sorted(subscriber_ids)
    ]
    insert_or_ignore(c, memberships, rows, "list_id", "subscriber_id")


def _bring_back(c: Connection, list_id: int, subscriber_ids: Collection[int], at: datetime) -> None:
    c.execute(
        sa.update(memberships)
        .where(memberships.c.list_id == list_id, memberships.c.subscriber_id.in_(subscriber_ids))
        .values(subscribed_at=at, unsubscribed_at=None, unsubscribed_by=None)
    )
