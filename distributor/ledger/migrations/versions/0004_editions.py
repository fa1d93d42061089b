"""Editions that sources give, whose revisions are digests, and how far each source was read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "editions",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("digest_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["digest_id"], ["digests.id"], name="fk_editions_digest_id"),
        sa.PrimaryKeyConstraint("id", name="pk_editions"),
        sa.UniqueConstraint("source", "identity", name="uq_editions_source_identity"),
    )
    op.create_table(
        "edition_revisions",
        sa.Column("digest_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("edition_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["digest_id"], ["digests.id"], name="fk_edition_revisions_digest_id"
        ),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name="fk_edition_revisions_edition_id"
        ),
        sa.PrimaryKeyConstraint("digest_id", name="pk_edition_revisions"),
    )
    op.create_index("ix_edition_revisions_edition_id", "edition_revisions", ["edition_id"])
    op.create_table(
        "source_marks",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_source_marks"),
    )
