"""An index of attempts that may have been accepted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    doubt = sa.text("outcome = 'unknown' OR code = 'resolved-resend'")
    op.create_index(
        "ix_attempts_doubts",
        "attempts",
        ["delivery_id"],
        postgresql_where=doubt,
        sqlite_where=doubt,
    )
