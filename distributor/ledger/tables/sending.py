"""Sends, what they go to, and the batches that they are worked on in."""

from __future__ import annotations

import sqlalchemy as sa

from distributor.ledger.states import SendState
from distributor.ledger.tables.columns import UtcDateTime, identifier, metadata, reference, state_of

sends = sa.Table(
    "sends",
    metadata,
    identifier(),
    reference("digest_id", "digests.id", nullable=False, index=True),
    sa.Column("state", state_of(SendState), nullable=False, index=True),
    #: A test goes to one named address and leaves no trace in the once-only rule.
    sa.Column("is_test", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("held_reason", sa.Text),
    #: The caller's own name for the request; `answered_requests` has those that made no send.
    sa.Column("idempotency_key", sa.String(200), unique=True),
    #: SHA-256 of what was asked for under that name.
    sa.Column("request_hash", sa.String(64)),
    #: What would have held it, and who sent it all the same.
    sa.Column("forced", sa.Text),
    sa.Column("forced_by", sa.String(200)),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("scheduled_for", UtcDateTime),
    #: When it last became `preparing`; it may have been a draft, or paused, for days before.
    sa.Column("preparing_since", UtcDateTime),
    #: When its audience was frozen.
    sa.Column("started_at", UtcDateTime),
    sa.Column("finished_at", UtcDateTime),
    #: What has not ended by then ends as failed with the code `expired`.
    sa.Column("deadline_at", UtcDateTime, nullable=False),
    #: Deliveries written when the audience was frozen; the books must add up to it.
    sa.Column("intended", sa.Integer),
    #: When its attempts were dropped, because it ended long ago; receipts say so.
    sa.Column("attempts_dropped_at", UtcDateTime),
    #: The last batch whose attempts were dropped, while that is under way.
    sa.Column("attempts_dropped_to", sa.BigInteger),
)

#: Requests with a name of their own that made no send: all they asked for had been sent before.
#: The names of those that made one stand in `sends`.
answered_requests = sa.Table(
    "answered_requests",
    metadata,
    sa.Column("idempotency_key", sa.String(200), primary_key=True),
    sa.Column("request_hash", sa.String(64), nullable=False),
    #: The earlier sends: `[[list, channel, send], …]`.
    sa.Column("already", sa.JSON, nullable=False),
    sa.Column("answered_at", UtcDateTime, nullable=False),
)

#: What a send goes to. The unique constraint is the once-only rule: the same revision reaches
#: the same list on the same channel once per run, and only `--again` begins a new run.
send_audiences = sa.Table(
    "send_audiences",
    metadata,
    reference("send_id", "sends.id", primary_key=True),
    reference("list_id", "lists.id", primary_key=True),
    sa.Column("channel", sa.String(32), primary_key=True),
    reference("digest_id", "digests.id", nullable=False),
    #: From 1; null once the send was held or canceled, so that it no longer counts.
    sa.Column("run", sa.Integer),
    sa.UniqueConstraint("digest_id", "list_id", "channel", "run"),
)

#: The addresses of a test send, which belongs to no list.
send_targets = sa.Table(
    "send_targets",
    metadata,
    reference("send_id", "sends.id", primary_key=True),
    reference("subscriber_id", "subscribers.id", primary_key=True),
)

#: The exact parts that a send hands to a channel, frozen when it starts.
renderings = sa.Table(
    "renderings",
    metadata,
    identifier(),
    reference("send_id", "sends.id", nullable=False),
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
    identifier(),
    reference("send_id", "sends.id", nullable=False),
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
