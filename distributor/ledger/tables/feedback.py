"""What recipients and their mail systems let us know."""

from __future__ import annotations

import sqlalchemy as sa

from distributor.ledger.tables.columns import UtcDateTime, identifier, metadata, reference

#: What counts against an address only when it comes again: once for each send.
strikes = sa.Table(
    "strikes",
    metadata,
    sa.Column("channel", sa.String(32), primary_key=True),
    sa.Column("address", sa.String(512), primary_key=True),
    #: The suppression's reason, once there are enough: a `SuppressionReason`.
    sa.Column("reason", sa.String(64), primary_key=True),
    reference("send_id", "sends.id", primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
)

#: What came to the bounce addresses: bounces, complaints, and whatever else is written there.
reports = sa.Table(
    "reports",
    metadata,
    identifier(),
    #: SHA-256 of its bytes and of whom it was delivered to: the same one is taken in once.
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    #: `bounce`, `delay`, `complaint`, `auto-reply`, `other`.
    sa.Column("kind", sa.String(16), nullable=False),
    #: Null when it is about no delivery that we know.
    reference("delivery_id", "deliveries.id", index=True),
    #: How the delivery was found: `verp`, `unsubscribe`, `message-id`.
    sa.Column("matched_by", sa.String(16)),
    #: Whom the report is about, as it says.
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("code", sa.String(64), nullable=False),
    #: The other mail system's words.
    sa.Column("words", sa.Text, nullable=False),
    #: What was done about it.
    sa.Column("effect", sa.Text, nullable=False),
    #: Of a bounce for our own fault that changed its delivery: what the address ends with. Several
    #: of these let all such addresses wait.
    sa.Column("ending", sa.String(256)),
    #: Of kind `other`: headers and text for a person to read, for as long as the settings say.
    sa.Column("letter", sa.Text),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index(
        "ix_reports_ending_at",
        "ending",
        "at",
        postgresql_where=sa.text("ending IS NOT NULL"),
        sqlite_where=sa.text("ending IS NOT NULL"),
    ),
    sa.Index(
        "ix_reports_at",
        "at",
        postgresql_where=sa.text("letter IS NOT NULL"),
        sqlite_where=sa.text("letter IS NOT NULL"),
    ),
)
