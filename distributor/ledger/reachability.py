"""Reachability: who must not, or cannot, be sent to any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import bulk
from distributor.ledger.database import insert_or_ignore
from distributor.ledger.tables import memberships, send_audiences, subscribers, suppressions
from distributor.suppression import SuppressionReason


def suppress(
    connection: Connection,
    channel: str,
    address: str,
    *,
    reason: SuppressionReason,
    detail: str,
    at: datetime,
    source: str = "delivery",
) -> None:
    """Never send to this address again, as the platform's reply demands."""
    row = {
        "channel": channel,
        "address": address,
        "reason": reason,
        "source": source,
        "detail": detail,
        "created_at": at,
    }
    insert_or_ignore(connection, suppressions, [row], "channel", "address")


def move_subscriber(connection: Connection, subscriber_id: int, address: str) -> None:
    """Give a subscriber the address that the platform says it has now.

    Left as it is when another subscriber of the channel has that address already.
    """
    other = subscribers.alias()
    taken = sa.exists().where(other.c.channel == subscribers.c.channel, other.c.address == address)
    connection.execute(
        sa.update(subscribers)
        .where(subscribers.c.id == subscriber_id, ~taken)
        .values(address=address)
    )


def unreachable(
    connection: Connection, send_id: int, channel: str, people: Mapping[int, str]
) -> set[int]:
    """Those of `people`, addresses by subscriber id, to whom the send may bring nothing more."""
    not_to = suppressed(connection, channel, list(people.values()))
    left = gone(connection, send_id, set(people))
    return left | {one for one, address in people.items() if address in not_to}


def suppressed(connection: Connection, channel: str, addresses: Sequence[str]) -> set[str]:
    """Those of `addresses` that must not be sent to."""
    query = sa.select(suppressions.c.address).where(
        suppressions.c.channel == channel,
        bulk.among(connection, suppressions.c.address, addresses),
    )
    return set(connection.execute(query).scalars())


def gone(connection: Connection, send_id: int, subscriber_ids: set[int]) -> set[int]:
    """Those who are on none of the send's lists any more; a test send has no lists to leave."""
    to_lists = sa.select(sa.exists().where(send_audiences.c.send_id == send_id))
    if not connection.execute(to_lists).scalar():
        return set()
    still_on = (
        sa.select(memberships.c.subscriber_id)
        .join(send_audiences, send_audiences.c.list_id == memberships.c.list_id)
        .where(
            send_audiences.c.send_id == send_id,
            bulk.among(connection, memberships.c.subscriber_id, subscriber_ids),
            memberships.c.unsubscribed_at.is_(None),
        )
    )
    return subscriber_ids - set(connection.execute(still_on).scalars())
