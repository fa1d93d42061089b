"""Editions that sources give: imported once, however many watchers see them at the same time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.database import insert_or_ignore
from distributor.ledger.tables import digests, edition_revisions, editions, source_marks


class Taken(StrEnum):
    """What became of a digest that a watcher brought."""

    #: The first revision of an edition that was not known.
    NEW = "new"
    #: Another revision of a known edition, and now the current one.
    REVISED = "revised"
    #: Nothing: it is known already, or somebody else was faster.
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger has of a source, seen before the source is looked at."""

    #: The current revision of each edition, by its identity.
    current: Mapping[str, str]
    #: All revisions of all editions, those of other sources too.
    revisions: frozenset[str]


def known(connection: Connection, source: str) -> Known:
    """What there is of `source`."""
    current = sa.select(editions.c.identity, digests.c.revision).join_from(editions, digests)
    rows = connection.execute(current.where(editions.c.source == source))
    every = sa.select(digests.c.revision).join_from(edition_revisions, digests)
    return Known({row[0]: row[1] for row in rows}, frozenset(connection.scalars(every)))


def take(
    connection: Connection,
    digest_id: int,
    *,
    source: str,
    identity: str,
    seen: str | None,
    at: datetime,
) -> Taken:
    """Make a stored digest the current revision of the edition `identity` of `source`.

    `seen`: the edition's current revision as it was known *before* the source was looked at, None
    when it had none. It must still be the current one: else another watcher has looked since, and
    what it found is at least as new. A digest that belongs to another edition stays there.
    """
    _lock(connection, digest_id)
    owner = _edition_of(connection, digest_id)
    if owner is None:
        row = {"source": source, "identity": identity, "digest_id": digest_id}
        times = {"created_at": at, "changed_at": at}
        insert_or_ignore(connection, editions, [{**row, **times}], "source", "identity")
    edition, current = _find(connection, source, identity)
    if owner is None:
        connection.execute(
            sa.insert(edition_revisions).values(digest_id=digest_id, edition_id=edition)
        )
    elif owner != edition:
        return Taken.KNOWN
    if current == digest_id:
        return Taken.NEW if owner is None else Taken.KNOWN
    moved = connection.execute(
        sa.update(editions)
        .where(
            editions.c.id == edition,
            editions.c.digest_id
            == sa.select(digests.c.id).where(digests.c.revision == seen).scalar_subquery(),
        )
        .values(digest_id=digest_id, changed_at=at)
    )
    return Taken.REVISED if moved.rowcount == 1 else Taken.KNOWN


def mark(connection: Connection, source: str, location: str) -> str:
    """How far `source` was imported; empty when it was not, or led to another location then."""
    query = sa.select(source_marks.c.mark).where(
        source_marks.c.source == source, source_marks.c.location == location
    )
    return connection.scalar(query) or ""


def set_mark(connection: Connection, source: str, location: str, value: str, at: datetime) -> None:
    """Note how far `source` was imported."""
    row = {"location": location, "mark": value, "updated_at": at}
    insert_or_ignore(connection, source_marks, [{"source": source, **row}], "source")
    connection.execute(sa.update(source_marks).where(source_marks.c.source == source).values(**row))


def _lock(connection: Connection, digest_id: int) -> None:
    """Let one watcher at a time decide about a digest; on SQLite there is one writer anyway."""
    query = sa.select(digests.c.id).where(digests.c.id == digest_id)
    connection.execute(query.with_for_update(key_share=True)).one()


def _edition_of(connection: Connection, digest_id: int) -> int | None:
    owner: int | None = connection.scalar(
        sa.select(edition_revisions.c.edition_id).where(edition_revisions.c.digest_id == digest_id)
    )
    return owner


def _find(connection: Connection, source: str, identity: str) -> tuple[int | None, int | None]:
    """An edition and its current digest; None when there is no such edition."""
    row = connection.execute(
        sa.select(editions.c.id, editions.c.digest_id).where(
            editions.c.source == source, editions.c.identity == identity
        )
    ).one_or_none()
    return (row[0], row[1]) if row else (None, None)
