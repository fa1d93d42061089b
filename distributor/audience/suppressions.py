"""Addresses that must not be sent to, each with its reason and where that came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.audience.validation import canonical_address
from distributor.ledger.database import insert_or_ignore
from distributor.ledger.tables import suppressions


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that must not be sent to, with the reason and where that came from."""

    channel: str
    address: str
    #: A `SuppressionReason`.
    reason: str
    #: Where it came from: `delivery`, `bounce`, `operator`, `import`.
    source: str
    detail: str
    created_at: datetime


def add(
    c: Connection, channel: str, address: str, reason: str, source: str, detail: str = ""
) -> Suppression:
    """Suppress an address; one that is suppressed keeps its first reason.

    Returns the suppression that now stands. Raises `InvalidSubscriber`.
    """
    address = canonical_address(channel, address)
    row = {
        "channel": channel,
        "address": address,
        "reason": reason,
        "source": source,
        "detail": detail,
        "created_at": datetime.now(UTC),
    }
    insert_or_ignore(c, suppressions, [row], "channel", "address")
    return Suppression(*c.execute(_select(channel, address)).one())


def find(c: Connection, channel: str, address: str) -> Suppression | None:
    """Why the address must not be sent to, or None when it may. Raises `InvalidSubscriber`."""
    row = c.execute(_select(channel, canonical_address(channel, address))).one_or_none()
    return None if row is None else Suppression(*row)


def remove(c: Connection, channel: str, address: str) -> bool:
    """Allow sending again; False when nothing stood against it. Raises `InvalidSubscriber`."""
    address = canonical_address(channel, address)
    removed = c.execute(
        sa.delete(suppressions).where(
            suppressions.c.channel == channel, suppressions.c.address == address
        )
    )
    return removed.rowcount > 0


def all_(c: Connection) -> Iterator[Suppression]:
    """Every suppression, newest first, read from the ledger as it is asked for."""
    statement = _SELECT.order_by(suppressions.c.id.desc())
    for row in c.execute(statement.execution_options(yield_per=1000)):
        yield Suppression(*row)


_SELECT = sa.select(
    suppressions.c.channel,
    suppressions.c.address,
    suppressions.c.reason,
    suppressions.c.source,
    suppressions.c.detail,
    suppressions.c.created_at,
)


def _select(channel: str, address: str) -> sa.Select[Any]:
    return _SELECT.where(suppressions.c.channel == channel, suppressions.c.address == address)
