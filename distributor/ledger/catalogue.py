"""What the ledger knows of editions and of the sends that they went out with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.states import SendState
from distributor.ledger.tables import digests, edition_revisions, editions, sends

_NEVER_LEFT = (SendState.HELD, SendState.CANCELED)


@dataclass(frozen=True, slots=True)
class Entry:
    """An edition with its current revision, or a digest that an operator sent from a file."""

    digest_id: int
    #: Name of the source, and what the edition is called there; None for a file of an operator.
    source: str | None
    identity: str | None
    #: How many revisions there have been.
    revisions: int
    imported_at: datetime
    changed_at: datetime
    #: The newest send of any revision that was no test.
    last_send: int | None
    #: The newest send that went out, or is to: of the current revision, and of any.
    sent: int | None
    sent_before: int | None


def entries(connection: Connection, *, source: str | None, limit: int) -> tuple[Entry, ...]:
    """The newest editions first, by their own date or else by when they came."""
    revision = edition_revisions.alias("revision")
    number = (
        sa.select(sa.func.count()).where(revision.c.edition_id == editions.c.id).scalar_subquery()
    )
    # Named outright: two levels down, SQLAlchemy would take every edition instead of this one.
    siblings = (
        sa.select(revision.c.digest_id)
        .where(revision.c.edition_id == editions.c.id)
        .correlate(editions)
    )
    of_current = sends.c.digest_id == digests.c.id
    of_any = sa.or_(of_current, sends.c.digest_id.in_(siblings))
    query = (
        sa.select(
            digests.c.id.label("digest_id"),
            editions.c.source,
            editions.c.identity,
            sa.case((editions.c.id.is_(None), 1), else_=number).label("revisions"),
            sa.func.coalesce(editions.c.created_at, digests.c.created_at).label("imported_at"),
            sa.func.coalesce(editions.c.changed_at, digests.c.created_at).label("changed_at"),
            _newest_send(of_any).label("last_send"),
            _newest_send(of_current, sends.c.state.not_in(_NEVER_LEFT)).label("sent"),
            _newest_send(of_any, sends.c.state.not_in(_NEVER_LEFT)).label("sent_before"),
        )
        .join_from(
            digests, edition_revisions, edition_revisions.c.digest_id == digests.c.id, isouter=True
        )
        .join(editions, editions.c.id == edition_revisions.c.edition_id, isouter=True)
        .where(sa.or_(editions.c.id.is_(None), editions.c.digest_id == digests.c.id))
        .order_by(
            sa.func.coalesce(digests.c.date, digests.c.created_at).desc(), digests.c.id.desc()
        )
        .limit(limit)
    )
    if source is not None:
        query = query.where(editions.c.source == source)
    return tuple(Entry(**row) for row in connection.execute(query).mappings())


def _newest_send(*conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    query = sa.select(sa.func.max(sends.c.id)).where(sends.c.is_test.is_(False), *conditions)
    return query.correlate(digests, editions).scalar_subquery()
