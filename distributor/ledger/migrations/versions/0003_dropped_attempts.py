"""Attempts of old sends may be dropped: when that was, and how far it has come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column(
        "sends", sa.Column("attempts_dropped_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("sends", sa.Column("attempts_dropped_to", sa.BigInteger(), nullable=True))
