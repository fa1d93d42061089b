"""Writing many subscribers at once: a handful of statements for a thousand rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.audience.validation import NewSubscriber
from distributor.ledger.database import insert_or_ignore
from distributor.ledger.tables import subscribers

#: A channel and an address on it.
Key: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of many subscribers that were written at once."""

    #: The subscriber's id for every row that was given.
    ids: Mapping[Key, int]
    #: Those who were not known before.
    created: frozenset[Key]


def store(c: Connection, rows: Sequence[NewSubscriber], at: datetime) -> Stored:
    """Write `rows`, each key once and up to some thousands of them.

    For somebody known already, attributes are added to the old ones, anything else that is given
    replaces the old, and what is empty changes nothing.
    """
    known = _find(c, [row.key for row in rows])
    fresh = [row for row in rows if row.key not in known]
    insert_or_ignore(c, subscribers, [_values(row, at) for row in fresh], "channel", "address")
    if changes := [change for row in rows if (change := _change(known.get(row.key), row))]:
        c.execute(_UPDATE, changes)
    created = _find(c, [row.key for row in fresh])
    ids = {key: row.id for key, row in (known | created).items()}
    return Stored(ids, frozenset(created))


def _find(c: Connection, keys: Sequence[Key]) -> dict[Key, sa.Row[Any]]:
    by_channel: dict[str, list[str]] = defaultdict(list)
    for channel, address in keys:
        by_channel[channel].append(address)
    return {
        (row.channel, row.address): row
        for channel, addresses in by_channel.items()
        for row in c.execute(
            sa.select(subscribers).where(
                subscribers.c.channel == channel, subscribers.c.address.in_(addresses)
            )
        )
    }


def _values(row: NewSubscriber, at: datetime) -> dict[str, Any]:
    return {
        "channel": row.channel,
        "address": row.address,
        "name": row.name,
        "language": row.language,
        "attributes": dict(row.attributes),
        "account": row.account,
        "variant": row.variant,
        "created_at": at,
    }


def _change(old: sa.Row[Any] | None, row: NewSubscriber) -> dict[str, Any] | None:
    if old is None:
        return None
    after = {field: getattr(row, field) or getattr(old, field) for field in _REPLACED}
    after["attributes"] = {**old.attributes, **row.attributes}
    if all(value == getattr(old, field) for field, value in after.items()):
        return None
    return {"its_id": old.id, **{f"new_{field}": value for field, value in after.items()}}


#: What a later row replaces when it says anything.
_REPLACED = ("name", "language", "account", "variant")
_UPDATE = (
    sa.update(subscribers)
    .where(subscribers.c.id == sa.bindparam("its_id"))
    .values({field: sa.bindparam(f"new_{field}") for field in (*_REPLACED, "attributes")})
)
