"""Digests as they were read, and the sources that they came from."""

from __future__ import annotations

import sqlalchemy as sa

from distributor.ledger.tables.columns import UtcDateTime, identifier, metadata, reference

#: One row a revision: the source bytes as they were read.
digests = sa.Table(
    "digests",
    metadata,
    identifier(),
    sa.Column("revision", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("date", UtcDateTime),
    sa.Column("language", sa.String(35), nullable=False),
    sa.Column("source", sa.LargeBinary, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

#: Editions that sources gave. The unique constraint lets several watchers import one once.
editions = sa.Table(
    "editions",
    metadata,
    identifier(),
    #: Name of the source in the configuration.
    sa.Column("source", sa.String(64), nullable=False),
    #: What the source calls it: a path, an entry's id.
    sa.Column("identity", sa.Text, nullable=False),
    #: The revision that the source has now.
    reference("digest_id", "digests.id", nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("changed_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("source", "identity"),
)

#: Which edition a digest is a revision of. One that no source gave has no row.
edition_revisions = sa.Table(
    "edition_revisions",
    metadata,
    reference("digest_id", "digests.id", primary_key=True, autoincrement=False),
    reference("edition_id", "editions.id", nullable=False, index=True),
)

#: How far each source has been imported, so that only what is new is fetched.
source_marks = sa.Table(
    "source_marks",
    metadata,
    sa.Column("source", sa.String(64), primary_key=True),
    #: Where the source led to; a mark means nothing anywhere else.
    sa.Column("location", sa.Text, nullable=False),
    #: A commit, or what a web server calls its page's version.
    sa.Column("mark", sa.Text, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)
