"""What stands in the way of an account: its breaker, and domains that refuse it."""

from __future__ import annotations

import sqlalchemy as sa

from distributor.ledger.tables.columns import UtcDateTime, metadata

#: Accounts that cannot send for now. No row: the breaker is closed.
breakers = sa.Table(
    "breakers",
    metadata,
    sa.Column("account", sa.String(64), primary_key=True),
    #: Why, in the platform's words.
    sa.Column("code", sa.String(64), nullable=False),
    sa.Column("reply", sa.Text, nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    #: Nothing is tried before then; after it, whoever moves it on may send the probe.
    sa.Column("open_until", UtcDateTime, nullable=False),
    #: How often it opened in a row: each time it stays open longer.
    sa.Column("times", sa.Integer, nullable=False),
)

#: Groups of addresses on an account that refuse us: a mail domain. No row: they take mail.
stops = sa.Table(
    "stops",
    metadata,
    sa.Column("account", sa.String(64), primary_key=True),
    #: What the addresses end with, such as `@example.net`.
    sa.Column("ending", sa.String(256), primary_key=True),
    #: As in `breakers`.
    sa.Column("code", sa.String(64), nullable=False),
    sa.Column("reply", sa.Text, nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    sa.Column("open_until", UtcDateTime, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
)
