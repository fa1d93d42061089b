"""Deliveries in states that people look for are found by an index of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_NOTABLE = """CASE WHEN state IN
('retrying', 'bounced', 'complained', 'failed', 'unknown', 'skipped') THEN state END"""


def upgrade() -> None:
    # SQLite adds only what it computes when it is read; its index keeps what was computed.
    kind = "STORED" if op.get_bind().dialect.name == "postgresql" else "VIRTUAL"
    op.execute(
        "ALTER TABLE deliveries ADD COLUMN notable VARCHAR(16)"
        f" GENERATED ALWAYS AS ({_NOTABLE}) {kind}"
    )
    is_notable = sa.text("notable IS NOT NULL")
    op.create_index(
        "ix_deliveries_send_id_notable_id",
        "deliveries",
        ["send_id", "notable", "id"],
        unique=False,
        postgresql_where=is_notable,
        sqlite_where=is_notable,
    )
