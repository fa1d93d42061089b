"""Requests with names of their own, and what they were answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.tables import answered_requests, sends

#: Arbitrary number that names callers' keys among PostgreSQL's advisory locks.
_KEYS_LOCK = 7_240_512


@dataclass(frozen=True, slots=True)
class RequestKey:
    """A caller's own name for a request, so that repeating it makes no second send."""

    name: str
    #: SHA-256 of what is asked for.
    request_hash: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the first request of a name was told."""

    request_hash: str
    #: The send that it made; None when everybody had the edition with earlier ones.
    send_id: int | None
    #: Those earlier sends, by list and channel.
    already: Mapping[tuple[str, str], int] = field(default_factory=dict)


def lock(connection: Connection, key: RequestKey) -> None:
    """Let nobody else answer a request of this name until the transaction ends."""
    if connection.dialect.name == "postgresql":
        name = sa.func.hashtext(key.name)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_KEYS_LOCK, name)))
    # SQLite has one writer at a time.


def answered(connection: Connection, name: str) -> Answer | None:
    """What was answered to the first request of this name; None when there was none."""
    made = sa.select(sends.c.request_hash, sends.c.id).where(sends.c.idempotency_key == name)
    if (row := connection.execute(made).one_or_none()) is not None:
        return Answer(*row)
    told = sa.select(answered_requests.c.request_hash, answered_requests.c.already).where(
        answered_requests.c.idempotency_key == name
    )
    row = connection.execute(told).one_or_none()
    if row is None:
        return None
    already = {(list_name, channel): send_id for list_name, channel, send_id in row.already}
    return Answer(row.request_hash, None, already)


def remember(
    connection: Connection, key: RequestKey, already: Mapping[tuple[str, str], int], at: datetime
) -> None:
    """Keep that this request was answered with earlier sends; `sends.create` keeps the others."""
    rows = [[list_name, channel, send_id] for (list_name, channel), send_id in already.items()]
    connection.execute(
        sa.insert(answered_requests).values(
            idempotency_key=key.name, request_hash=key.request_hash, already=rows, answered_at=at
        )
    )
