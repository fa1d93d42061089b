"""The tables, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from distributor.ledger.states import DeliveryState, SendState


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC; SQLite keeps no time zone, so it is put back on read."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the ledger takes aware datetimes, got {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _state(kind: type[StrEnum]) -> sa.Enum:
    return sa.Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=16,
        values_callable=lambda members: [member.value for member in members],
    )


def _id() -> sa.Column[int]:
    # SQLite numbers rows by itself only for a column declared INTEGER.
    kind = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column("id", kind, primary_key=True, autoincrement=True)


def _reference(name: str, target: str, *, index: bool = False, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, sa.ForeignKey(target), index=index, **options)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: One row a revision: the source bytes as they were read.
digests = sa.Table(
    "digests",
    metadata,
    _id(),
    sa.Column("revision", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("date", UtcDateTime),
    sa.Column("language", sa.String(35), nullable=False),
    sa.Column("source", sa.LargeBinary, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

#: Editions that sources gave. The unique constraint lets several watchers import one once.
editions = sa.Table(
    "editions",
    metadata,
    _id(),
    #: Name of the source in the configuration.
    sa.Column("source", sa.String(64), nullable=False),
    #: What the source calls it: a path, an entry's id.
    sa.Column("identity", sa.Text, nullable=False),
    #: The revision that the source has now.
    _reference("digest_id", "digests.id", nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("changed_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("source", "identity"),
)

#: Which edition a digest is a revision of. One that no source gave has no row.
edition_revisions = sa.Table(
    "edition_revisions",
    metadata,
    _reference("digest_id", "digests.id", primary_key=True, autoincrement=False),
    _reference("edition_id", "editions.id", nullable=False, index=True),
)

#: How far each source has been imported, so that only what is new is fetched.
source_marks = sa.Table(
    "source_marks",
    metadata,
    sa.Column("source", sa.String(64), primary_key=True),
    #: Where the source led to; a mark means nothing anywhere else.
    sa.Column("location", sa.Text, nullable=False),
    #: A commit, or what a web server calls its page's version.
    sa.Column("mark", sa.Text, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)

lists = sa.Table(
    "lists",
    metadata,
    _id(),
    sa.Column("name", sa.String(200), nullable=False, unique=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("archived_at", UtcDateTime),
)

#: One address on one channel.
subscribers = sa.Table(
    "subscribers",
    metadata,
    _id(),
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
    _reference("list_id", "lists.id", primary_key=True),
    _reference("subscriber_id", "subscribers.id", primary_key=True, index=True),
    sa.Column("subscribed_at", UtcDateTime, nullable=False),
    sa.Column("unsubscribed_at", UtcDateTime),
    #: How it was left: `one-click`, `page`, `operator`.
    sa.Column("unsubscribed_by", sa.String(32)),
)

#: Addresses that must not be sent to.
suppressions = sa.Table(
    "suppressions",
    metadata,
    _id(),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("address", sa.String(512), nullable=False),
    #: A short word: `address-dead`, `mailbox-full`, `blocked`, `complaint`, `operator`.
    sa.Column("reason", sa.String(64), nullable=False),
    #: Where it came from: `delivery`, `bounce`, `operator`, `import`.
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("channel", "address"),
)

sends = sa.Table(
    "sends",
    metadata,
    _id(),
    _reference("digest_id", "digests.id", nullable=False, index=True),
    sa.Column("state", _state(SendState), nullable=False, index=True),
    #: A test goes to one named address and leaves no trace in the once-only rule.
    sa.Column("is_test", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("held_reason", sa.Text),
    #: The caller's own name for the request; the same name never makes a second send.
    sa.Column("idempotency_key", sa.String(200), unique=True),
    #: SHA-256 of what was asked for under that name.
    sa.Column("request_hash", sa.String(64)),
    #: What would have held it, and who sent it all the same.
    sa.Column("forced", sa.Text),
    sa.Column("forced_by", sa.String(200)),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("scheduled_for", UtcDateTime),
    sa.Column("started_at", UtcDateTime),
    sa.Column("finished_at", UtcDateTime),
    #: What has not ended by then ends as failed with the code `expired`.
    sa.Column("deadline_at", UtcDateTime, nullable=False),
    #: Deliveries written when the audience was frozen; the books must add up to it.
    sa.Column("intended", sa.Integer),
    #: When its attempts were dropped, since it ended long ago; receipts say so.
    sa.Column("attempts_dropped_at", UtcDateTime),
    #: The last batch whose attempts were dropped, while that is under way.
    sa.Column("attempts_dropped_to", sa.BigInteger),
)

#: What a send goes to. The unique constraint is the once-only rule: the same revision reaches
#: the same list on the same channel once per run, and only `--again` begins a new run.
send_audiences = sa.Table(
    "send_audiences",
    metadata,
    _reference("send_id", "sends.id", primary_key=True),
    _reference("list_id", "lists.id", primary_key=True),
    sa.Column("channel", sa.String(32), primary_key=True),
    _reference("digest_id", "digests.id", nullable=False),
    #: From 1; null once the send was held or canceled, so that it no longer counts.
    sa.Column("run", sa.Integer),
    sa.UniqueConstraint("digest_id", "list_id", "channel", "run"),
)

#: The addresses of a test send, which belongs to no list.
send_targets = sa.Table(
    "send_targets",
    metadata,
    _reference("send_id", "sends.id", primary_key=True),
    _reference("subscriber_id", "subscribers.id", primary_key=True),
)

#: The exact parts that a send hands to a channel, frozen when it starts.
renderings = sa.Table(
    "renderings",
    metadata,
    _id(),
    _reference("send_id", "sends.id", nullable=False),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("account", sa.String(64), nullable=False),
    #: As in `subscribers`.
    sa.Column("variant", sa.String(64), nullable=False),
    sa.Column("parts", sa.JSON, nullable=False),
    sa.Column("warnings", sa.JSON, nullable=False),
    sa.UniqueConstraint("send_id", "channel", "account", "variant"),
)

#: Deliveries are claimed a batch at a time: the lease stands here, not on each delivery.
batches = sa.Table(
    "batches",
    metadata,
    _id(),
    _reference("send_id", "sends.id", nullable=False),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("account", sa.String(64), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    #: When there is something to do again; null when every delivery in it has ended.
    sa.Column("due_at", UtcDateTime, index=True),
    #: When a task for it was last put in the queue.
    sa.Column("hinted_at", UtcDateTime),
    sa.Column("lease_token", sa.String(32)),
    sa.Column("leased_by", sa.String(200)),
    sa.Column("leased_until", UtcDateTime),
    sa.UniqueConstraint("send_id", "channel", "number"),
)

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

#: What counts against an address only when it comes again: once for each send.
strikes = sa.Table(
    "strikes",
    metadata,
    sa.Column("channel", sa.String(32), primary_key=True),
    sa.Column("address", sa.String(512), primary_key=True),
    #: The suppression's reason, once there are enough: `mailbox-full`.
    sa.Column("reason", sa.String(64), primary_key=True),
    _reference("send_id", "sends.id", primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
)

#: What came back by email after a message was accepted: bounces and complaints.
reports = sa.Table(
    "reports",
    metadata,
    _id(),
    #: SHA-256 of the report's bytes: the same one is taken in once.
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    #: `bounce`, `delay`, `complaint`, `other`.
    sa.Column("kind", sa.String(16), nullable=False),
    #: Null when it is about no delivery that we know.
    _reference("delivery_id", "deliveries.id", index=True),
    #: How the delivery was found: `verp`, `unsubscribe`, `message-id`.
    sa.Column("matched_by", sa.String(16)),
    #: Whom the report is about, as it says.
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("code", sa.String(64), nullable=False),
    #: The other mail system's words.
    sa.Column("words", sa.Text, nullable=False),
    #: What was done about it.
    sa.Column("effect", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)

_NOTABLE_STATES = (
    DeliveryState.RETRYING,
    DeliveryState.BOUNCED,
    DeliveryState.COMPLAINED,
    DeliveryState.FAILED,
    DeliveryState.UNKNOWN,
    DeliveryState.SKIPPED,
)
_NOTABLE = "CASE WHEN state IN ({}) THEN state END".format(
    ", ".join(f"'{state.value}'" for state in _NOTABLE_STATES)
)

#: One send x one subscriber. They are written by one statement from the rows that they name, and
#: no send, rendering or batch is ever deleted: so they name these without a foreign key, which
#: PostgreSQL would look up and lock for each of a million rows.
deliveries = sa.Table(
    "deliveries",
    metadata,
    _id(),
    sa.Column("send_id", sa.BigInteger, nullable=False),
    _reference("subscriber_id", "subscribers.id", nullable=False, index=True),
    sa.Column("rendering_id", sa.BigInteger, nullable=False),
    sa.Column("batch_id", sa.BigInteger),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("account", sa.String(64), nullable=False),
    #: Frozen with the audience.
    sa.Column("address", sa.String(512), nullable=False),
    sa.Column("state", _state(DeliveryState), nullable=False),
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
    _id(),
    _reference("send_id", "sends.id", nullable=False, index=True),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("state", _state(DeliveryState), nullable=False),
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
    _reference("delivery_id", "deliveries.id", primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("state", _state(DeliveryState), nullable=False),
    sa.Column("message_id", sa.Text),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)

#: Every try at every part: the delivery log. Rows are only added, of deliveries that the same
#: transaction moves on: without a foreign key, as above.
attempts = sa.Table(
    "attempts",
    metadata,
    _id(),
    sa.Column("delivery_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("part", sa.Integer, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("outcome", _state(DeliveryState), nullable=False),
    sa.Column("code", sa.String(64), nullable=False),
    sa.Column("reply", sa.Text, nullable=False),
    sa.Column("message_id", sa.Text),
    sa.Column("worker", sa.String(200), nullable=False),
    sa.Column("duration_ms", sa.Integer, nullable=False),
)
