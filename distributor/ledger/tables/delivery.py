"""Deliveries with their parts and attempts, and the tallies of their states."""

from __future__ import annotations

import sqlalchemy as sa

from distributor.ledger.states import DeliveryState
from distributor.ledger.tables.columns import UtcDateTime, identifier, metadata, reference, state_of

_NOTABLE_STATES = (
    DeliveryState.RETRYING,
    DeliveryState.BOUNCED,
    DeliveryState.COMPLAINED,
    DeliveryState.FAILED,
    DeliveryState.UNKNOWN,
    DeliveryState.SKIPPED,
)
_DOUBT = "outcome = 'unknown' OR code = 'resolved-resend'"
_NOTABLE = "CASE WHEN state IN ({}) THEN state END".format(
    ", ".join(f"'{state.value}'" for state in _NOTABLE_STATES)
)

#: One send x one subscriber. They are written by one statement from the rows that they name, and
#: no send, rendering or batch is ever deleted: so they name these without a foreign key, which
#: PostgreSQL would look up and lock for each of a million rows.
deliveries = sa.Table(
    "deliveries",
    metadata,
    identifier(),
    sa.Column("send_id", sa.BigInteger, nullable=False),
    reference("subscriber_id", "subscribers.id", nullable=False, index=True),
    sa.Column("rendering_id", sa.BigInteger, nullable=False),
    sa.Column("batch_id", sa.BigInteger),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("account", sa.String(64), nullable=False),
    #: Frozen with the audience.
    sa.Column("address", sa.String(512), nullable=False),
    sa.Column("state", state_of(DeliveryState), nullable=False),
    #: Tries so far at the part that is next.
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_attempt_at", UtcDateTime),
    #: The last outcome: its code, the platform's words, the platform's id.
    sa.Column("code", sa.String(64)),
    sa.Column("reply", sa.Text),
    sa.Column("message_id", sa.Text),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    #: The state where it is one that people look for. See `in_state`.
    sa.Column("notable", sa.String(16), sa.Computed(_NOTABLE, persisted=True)),
    sa.UniqueConstraint("send_id", "subscriber_id"),
    sa.Index("ix_deliveries_batch_id_id", "batch_id", "id"),
    # No index holds the state, and pages have room: so PostgreSQL can change a row in place, as
    # long as nothing that an index holds changes with it.
    sa.Index(
        "ix_deliveries_send_id_notable_id",
        "send_id",
        "notable",
        "id",
        postgresql_where=sa.text("notable IS NOT NULL"),
        sqlite_where=sa.text("notable IS NOT NULL"),
    ),
    postgresql_with={"fillfactor": 40},
)


def in_state(state: DeliveryState) -> sa.ColumnElement[bool]:
    """True of deliveries in `state`; by an index where few of a send's are."""
    here = deliveries.c.state == state
    return sa.and_(here, deliveries.c.notable == state.value) if state in _NOTABLE_STATES else here


#: How many deliveries came into a state less those that left it, a row for what a statement did
#: or the sum of many: on PostgreSQL alone, where a trigger writes them. See `ledger.tallies`.
tallies = sa.Table(
    "tallies",
    metadata,
    identifier(),
    reference("send_id", "sends.id", nullable=False, index=True),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("state", state_of(DeliveryState), nullable=False),
    #: Why, in those states that want a reason; else empty.
    sa.Column("code", sa.String(64), nullable=False),
    #: An example of the platform's words.
    sa.Column("reply", sa.Text),
    sa.Column("number", sa.BigInteger, nullable=False),
)

#: Parts that were tried, each with its own state; one without a row was not tried yet.
parts = sa.Table(
    "parts",
    metadata,
    reference("delivery_id", "deliveries.id", primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("state", state_of(DeliveryState), nullable=False),
    sa.Column("message_id", sa.Text),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)

#: Every try at every part: the delivery log. Rows are added, of deliveries that the same
#: transaction moves on: without a foreign key, as above. One alone is ever changed: a lost worker's
#: own report takes the place of the row that says that it was lost.
attempts = sa.Table(
    "attempts",
    metadata,
    identifier(),
    sa.Column("delivery_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("part", sa.Integer, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("outcome", state_of(DeliveryState), nullable=False),
    sa.Column("code", sa.String(64), nullable=False),
    sa.Column("reply", sa.Text, nullable=False),
    sa.Column("message_id", sa.Text),
    sa.Column("worker", sa.String(200), nullable=False),
    sa.Column("duration_ms", sa.Integer, nullable=False),
    sa.Index(
        "ix_attempts_doubts",
        "delivery_id",
        postgresql_where=sa.text(_DOUBT),
        sqlite_where=sa.text(_DOUBT),
    ),
)


def is_doubt() -> sa.ColumnElement[bool]:
    """True of attempts that may have been accepted, as far as they know; by an index.

    What an operator had sent again stays one when old attempts are dropped.
    """
    # Written out, not as parameters: so that PostgreSQL knows that the index has them.
    return sa.or_(
        attempts.c.outcome == sa.literal_column("'unknown'"),
        attempts.c.code == sa.literal_column("'resolved-resend'"),
    )
