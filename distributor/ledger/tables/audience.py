"""Lists, subscribers, and addresses that must not be sent to."""

from __future__ import annotations

import sqlalchemy as sa

from distributor.ledger.tables.columns import UtcDateTime, identifier, metadata, reference

lists = sa.Table(
    "lists",
    metadata,
    identifier(),
    sa.Column("name", sa.String(200), nullable=False, unique=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("archived_at", UtcDateTime),
)

#: One address on one channel.
subscribers = sa.Table(
    "subscribers",
    metadata,
    identifier(),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("address", sa.String(512), nullable=False),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("language", sa.String(35), nullable=False, server_default=""),
    sa.Column("attributes", sa.JSON, nullable=False),
    #: The account that serves them; empty: the one that the channel's routes lead to.
    sa.Column("account", sa.String(64), nullable=False, server_default=""),
    #: The form of the edition that they chose; empty: the account's own choice.
    sa.Column("variant", sa.String(64), nullable=False, server_default=""),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("channel", "address"),
)

#: Who is on which list; leaving keeps the row and its date.
memberships = sa.Table(
    "memberships",
    metadata,
    reference("list_id", "lists.id", primary_key=True),
    reference("subscriber_id", "subscribers.id", primary_key=True, index=True),
    sa.Column("subscribed_at", UtcDateTime, nullable=False),
    sa.Column("unsubscribed_at", UtcDateTime),
    #: How it was left: `one-click`, `page`, `operator`.
    sa.Column("unsubscribed_by", sa.String(32)),
)

#: Addresses that must not be sent to.
suppressions = sa.Table(
    "suppressions",
    metadata,
    identifier(),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("address", sa.String(512), nullable=False),
    #: A `SuppressionReason`.
    sa.Column("reason", sa.String(64), nullable=False),
    #: Where it came from: `delivery`, `bounce`, `operator`, `import`.
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("channel", "address"),
)
