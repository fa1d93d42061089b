"""Subscribers one at a time: adding, removing, showing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from channels import registry
from distributor.audience import bulk, lists, suppressions, validation
from distributor.audience import memberships as membership
from distributor.audience.errors import AmbiguousAddress, InvalidSubscriber, UnknownSubscriber
from distributor.audience.memberships import LeftBy
from distributor.audience.suppressions import Suppression
from distributor.ledger import tables
from distributor.ledger.states import DeliveryState

#: Deliveries that `show` gives at most.
LAST_DELIVERIES = 10


@dataclass(frozen=True, slots=True)
class Added:
    """What adding a subscriber did."""

    subscriber_id: int
    #: The address in its canonical form.
    address: str
    #: False when the subscriber was known already.
    created: bool
    #: Names of the lists joined now.
    joined: tuple[str, ...]
    #: Names of the lists they were on already.
    already: tuple[str, ...]
    #: Names of the lists they had left before, and were not brought back to.
    left_before: tuple[str, ...]
    #: Why nothing will be sent to the address, if that is so.
    suppression: Suppression | None


@dataclass(frozen=True, slots=True)
class Membership:
    """A subscriber on a list, or one who left it."""

    list_name: str
    subscribed_at: datetime
    unsubscribed_at: datetime | None
    unsubscribed_by: str | None


@dataclass(frozen=True, slots=True)
class LastDelivery:
    """The newest delivery to a subscriber."""

    delivery_id: int
    send_id: int
    digest_title: str
    state: DeliveryState
    code: str | None
    reply: str | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SubscriberDetail:
    """All that is known of a subscriber."""

    id: int
    channel: str
    address: str
    name: str
    language: str
    attributes: Mapping[str, str]
    account: str
    variant: str
    created_at: datetime
    memberships: tuple[Membership, ...]
    suppression: Suppression | None
    #: Newest first, at most `LAST_DELIVERIES`.
    deliveries: tuple[LastDelivery, ...]


def add(
    c: Connection,
    *,
    channel: str,
    address: str,
    list_names: Iterable[str],
    name: str = "",
    language: str = "",
    attributes: Mapping[str, str] = MappingProxyType({}),
    account: str = "",
    variant: str = "",
    resubscribe: bool = False,
) -> Added:
    """Put an address on lists, creating the subscriber when there is none.

    `account` is the configured account that is to serve them, `variant` one of the channel's;
    both are left to the configuration when empty.
    Somebody who left one of the lists before is not brought back unless `resubscribe`; the
    result says so. Raises `InvalidSubscriber`, `UnknownList`, `ListArchived`.
    """
    row = validation.new_subscriber(
        channel, address, name, language, attributes, account=account, variant=variant
    )
    targets = lists.all_open(c, list_names)
    now = datetime.now(UTC)
    stored = bulk.store(c, [row], now)
    subscriber_id = stored.ids[row.key]
    results = {
        target.name: membership.join(c, target.id, [subscriber_id], now, resubscribe=resubscribe)
        for target in targets
    }
    return Added(
        subscriber_id=subscriber_id,
        address=row.address,
        created=row.key in stored.created,
        joined=tuple(list_ for list_, result in results.items() if result.joined),
        already=tuple(list_ for list_, result in results.items() if result.already),
        left_before=tuple(list_ for list_, result in results.items() if result.left_before),
        suppression=suppressions.find(c, row.channel, row.address),
    )


def ensure(c: Connection, channel: str, address: str) -> int:
    """The id of the subscriber with this address, created without lists if need be.

    Raises `InvalidSubscriber`.
    """
    row = validation.new_subscriber(channel, address)
    return bulk.store(c, [row], datetime.now(UTC)).ids[row.key]


def remove(
    c: Connection,
    channel: str,
    address: str,
    list_names: Iterable[str] | None = None,
    *,
    by: LeftBy = LeftBy.OPERATOR,
) -> tuple[str, ...]:
    """Take a subscriber off lists, or off all of them; returns the names of the lists left.

    The subscriber and the delivery log stay. Raises `InvalidSubscriber`, `UnknownSubscriber`,
    `UnknownList`.
    """
    address = validation.canonical_address(channel, address)
    subscriber = _find(c, channel, address)
    if subscriber is None:
        shown = registry.get(channel).show_address(address)
        raise UnknownSubscriber(f"no subscriber on {channel} has the address {shown}")
    names = {row.id: row.name for row in _lists_of(c, subscriber.id)}
    wanted = names.keys() if list_names is None else {lists.get(c, name).id for name in list_names}
    left = membership.leave(c, subscriber.id, wanted, by, datetime.now(UTC))
    return tuple(name for list_id, name in names.items() if list_id in left)


def show(c: Connection, text: str) -> SubscriberDetail:
    """Everything about one subscriber, by `address` or `channel:address`.

    Raises `UnknownSubscriber`, or `AmbiguousAddress` when several channels know the address.
    """
    found = [row for one in readings(text) if (row := _find(c, *one)) is not None]
    if not found:
        raise UnknownSubscriber(
            "no subscriber has this address; write it as it was added, or as CHANNEL:ADDRESS"
        )
    if len(found) > 1:
        channels = " or ".join(f"{row.channel}:ADDRESS" for row in found)
        raise AmbiguousAddress(
            f"this address is known on {len(found)} channels; ask for {channels}"
        )
    return _detail(c, found[0])


def readings(text: str) -> list[tuple[str, str]]:
    """What `address` or `channel:address` may mean, as channels and canonical addresses."""
    prefix, _, rest = text.partition(":")
    candidates = [(name, text) for name in registry.names()]
    if prefix in registry.names():
        candidates.append((prefix, rest))
    found = []
    for channel, address in candidates:
        try:
            found.append((channel, validation.canonical_address(channel, address)))
        except InvalidSubscriber:
            continue
    return list(dict.fromkeys(found))


def _find(c: Connection, channel: str, address: str) -> sa.Row[Any] | None:
    table = tables.subscribers
    return c.execute(
        sa.select(table).where(table.c.channel == channel, table.c.address == address)
    ).one_or_none()


def _detail(c: Connection, row: sa.Row[Any]) -> SubscriberDetail:
    return SubscriberDetail(
        id=row.id,
        channel=row.channel,
        address=row.address,
        name=row.name,
        language=row.language,
        attributes=row.attributes,
        account=row.account,
        variant=row.variant,
        created_at=row.created_at,
        memberships=tuple(
            Membership(one.name, one.subscribed_at, one.unsubscribed_at, one.unsubscribed_by)
            for one in _lists_of(c, row.id)
        ),
        suppression=suppressions.find(c, row.channel, row.address),
        deliveries=_last_deliveries(c, row.id),
    )


def _lists_of(c: Connection, subscriber_id: int) -> list[sa.Row[Any]]:
    mine, theirs = tables.memberships, tables.lists
    return list(
        c.execute(
            sa.select(
                theirs.c.id,
                theirs.c.name,
                mine.c.subscribed_at,
                mine.c.unsubscribed_at,
                mine.c.unsubscribed_by,
            )
            .join(theirs, theirs.c.id == mine.c.list_id)
            .where(mine.c.subscriber_id == subscriber_id)
            .order_by(theirs.c.name)
        )
    )


def _last_deliveries(c: Connection, subscriber_id: int) -> tuple[LastDelivery, ...]:
    mine, sends, digests = tables.deliveries, tables.sends, tables.digests
    rows = c.execute(
        sa.select(
            mine.c.id,
            mine.c.send_id,
            digests.c.title,
            mine.c.state,
            mine.c.code,
            mine.c.reply,
            mine.c.updated_at,
        )
        .join(sends, sends.c.id == mine.c.send_id)
        .join(digests, digests.c.id == sends.c.digest_id)
        .where(mine.c.subscriber_id == subscriber_id)
        .order_by(mine.c.id.desc())
        .limit(LAST_DELIVERIES)
    )
    return tuple(LastDelivery(*row) for row in rows)
