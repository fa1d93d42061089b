"""Sends know since when they have been in preparation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("sends", sa.Column("preparing_since", sa.DateTime(timezone=True)))
    op.execute(
        "UPDATE sends SET preparing_since = coalesce(scheduled_for, created_at)"
        " WHERE state = 'preparing'"
    )
