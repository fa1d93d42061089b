"""The digests that the ledger knows, one row a revision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.digest.model import Digest
from distributor.ledger.database import insert_or_ignore
from distributor.ledger.states import SendState
from distributor.ledger.tables import digests, sends


@dataclass(frozen=True, slots=True)
class StoredDigest:
    """A revision's source as it was read, and the name it was read under."""

    id: int
    revision: str
    name: str
    title: str
    source: bytes


def store(connection: Connection, digest: Digest, *, source: bytes, name: str, at: datetime) -> int:
    """The id of this revision, written down when it is new."""
    row = {
        "revision": digest.revision,
        "name": name,
        "title": digest.title,
        "date": digest.date,
        "language": digest.language,
        "source": source,
        "created_at": at,
    }
    insert_or_ignore(connection, digests, [row], "revision")
    identifier: int = connection.execute(_id_of(digest.revision)).scalar_one()
    return identifier


def find(connection: Connection, revision: str) -> int | None:
    """The id of this revision, if it is known."""
    found: int | None = connection.execute(_id_of(revision)).scalar()
    return found


def _id_of(revision: str) -> sa.Select[Any]:
    return sa.select(digests.c.id).where(digests.c.revision == revision)


def get(connection: Connection, digest_id: int) -> StoredDigest:
    """The stored digest; `digest_id` comes from another table and must exist."""
    columns = (digests.c.id, digests.c.revision, digests.c.name, digests.c.title, digests.c.source)
    row = connection.execute(sa.select(*columns).where(digests.c.id == digest_id)).one()
    return StoredDigest(*row)


def with_prefix(connection: Connection, prefix: str, limit: int) -> tuple[int, ...]:
    """Ids of digests whose revision begins with `prefix`, which is in hexadecimal digits."""
    query = sa.select(digests.c.id).where(digests.c.revision.startswith(prefix, autoescape=True))
    return tuple(connection.scalars(query.limit(limit)))


def sent_before(
    connection: Connection, revision: str, name: str, limit: int
) -> tuple[StoredDigest, ...]:
    """The newest editions that were sent, without `revision` and others of the file `name`."""
    columns = (digests.c.id, digests.c.revision, digests.c.name, digests.c.title, digests.c.source)
    newest = sa.func.max(sends.c.id)
    went_out = (SendState.SENDING, SendState.PAUSED, SendState.FINISHED)
    query = (
        sa.select(digests.c.id)
        .join(sends)
        .where(
            digests.c.revision != revision,
            digests.c.name != name,
            sends.c.is_test.is_(sa.false()),
            sends.c.state.in_(went_out),
        )
        .group_by(digests.c.id)
        .order_by(newest.desc())
        .limit(limit)
    )
    order = list(connection.execute(query).scalars())
    rows = connection.execute(sa.select(*columns).where(digests.c.id.in_(order)))
    found = {row.id: StoredDigest(*row) for row in rows}
    return tuple(found[one] for one in order)
