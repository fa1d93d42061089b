"""Letters to the bounce addresses are kept, and which bounces speak against a whole domain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("reports", sa.Column("ending", sa.String(length=256), nullable=True))
    op.add_column("reports", sa.Column("letter", sa.Text(), nullable=True))
    for columns, condition in ((["ending", "at"], "ending"), (["at"], "letter")):
        has_it = sa.text(f"{condition} IS NOT NULL")
        op.create_index(
            f"ix_reports_{'_'.join(columns)}",
            "reports",
            columns,
            postgresql_where=has_it,
            sqlite_where=has_it,
        )
