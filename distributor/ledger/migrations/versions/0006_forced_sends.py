"""A send may go out although rules would hold its edition: which ones, and who said so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("sends", sa.Column("forced", sa.Text(), nullable=True))
    op.add_column("sends", sa.Column("forced_by", sa.String(200), nullable=True))
