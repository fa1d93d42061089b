"""Leaving by the link in an edition: what it would do, and doing it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.audience import memberships as membership
from distributor.audience.delivery_key import DeliveryKey
from distributor.audience.errors import InvalidToken
from distributor.audience.memberships import LeftBy
from distributor.ledger.tables import (
    digests,
    lists,
    memberships,
    send_audiences,
    sends,
    subscribers,
)


@dataclass(frozen=True, slots=True)
class Unsubscribable:
    """What an unsubscribe link stands for, before anything is changed."""

    channel: str
    address: str
    digest_title: str
    #: BCP 47 tag of the edition.
    language: str
    #: Names of the lists that would be left.
    on: tuple[str, ...]
    #: Names of the send's lists that were left before.
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """What somebody left."""

    #: Names of the lists left, now or before; empty for a test send, which belongs to no list.
    lists: tuple[str, ...]
    #: True when they had all been left before.
    already: bool


def look_up(c: Connection, claim: DeliveryKey) -> Unsubscribable:
    """What the link of `claim` would do. Changes nothing. Raises `InvalidToken`."""
    claim = _of_reader(c, claim)
    row = c.execute(_ABOUT, _parameters(claim)).one_or_none()
    if row is None:
        raise InvalidToken(
            "this unsubscribe link belongs to a subscriber or a send that is no longer kept"
        )
    rows = c.execute(_MEMBERSHIPS, _parameters(claim)).all()
    return Unsubscribable(
        channel=row.channel,
        address=row.address,
        digest_title=row.title,
        language=row.language,
        on=tuple(one.name for one in rows if one.unsubscribed_at is None),
        left=tuple(one.name for one in rows if one.unsubscribed_at is not None),
    )


def unsubscribe(c: Connection, claim: DeliveryKey, by: LeftBy, at: datetime) -> Unsubscribed:
    """Leave the lists that the send of `claim` went to. Doing it again changes nothing.

    Raises `InvalidToken` when the subscriber or the send is no longer there.
    """
    claim = _of_reader(c, claim)
    before = look_up(c, claim)
    ids = c.scalars(_MEMBERSHIPS, _parameters(claim)).all()
    membership.leave(c, claim.subscriber_id, ids, by, at)
    return Unsubscribed(
        lists=before.on or before.left,
        already=not before.on and bool(before.left),
    )


def _of_reader(c: Connection, claim: DeliveryKey) -> DeliveryKey:
    """The claim of the one who reads the lists.

    A ledger may hold a reader's address in capitals too, from before addresses were in lower case:
    letters that went to it carry the number of that row, which is on no list.
    """
    own = subscribers.c.id == claim.subscriber_id
    address = c.scalar(
        sa.select(subscribers.c.address).where(own, subscribers.c.channel == "email")
    )
    if address is None or address == address.lower():
        return claim
    reader = c.scalar(
        sa.select(subscribers.c.id).where(
            subscribers.c.channel == "email", subscribers.c.address == address.lower()
        )
    )
    return claim if reader is None else replace(claim, subscriber_id=reader)


def _parameters(claim: DeliveryKey) -> dict[str, int]:
    return {"subscriber": claim.subscriber_id, "send": claim.send_id}


_ABOUT = (
    sa.select(subscribers.c.channel, subscribers.c.address, digests.c.title, digests.c.language)
    .select_from(subscribers)
    .join(sends, sends.c.id == sa.bindparam("send"))
    .join(digests, digests.c.id == sends.c.digest_id)
    .where(subscribers.c.id == sa.bindparam("subscriber"))
)

#: The lists of the send, on the subscriber's channel, that the subscriber is or was on.
_MEMBERSHIPS = (
    sa.select(memberships.c.list_id, lists.c.name, memberships.c.unsubscribed_at)
    .join(lists, lists.c.id == memberships.c.list_id)
    .join(subscribers, subscribers.c.id == memberships.c.subscriber_id)
    .join(
        send_audiences,
        sa.and_(
            send_audiences.c.list_id == memberships.c.list_id,
            send_audiences.c.channel == subscribers.c.channel,
        ),
    )
    .where(
        memberships.c.subscriber_id == sa.bindparam("subscriber"),
        send_audiences.c.send_id == sa.bindparam("send"),
    )
    .order_by(lists.c.name)
)
