"""The first schema: digests, audience, sends, deliveries and the delivery log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_STATE = sa.String(length=16)


def upgrade() -> None:
    op.create_table(
        "digests",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("revision", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("date", _TIME, nullable=True),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_digests"),
        sa.UniqueConstraint("revision", name="uq_digests_revision"),
    )
    op.create_table(
        "lists",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("archived_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_lists"),
        sa.UniqueConstraint("name", name="uq_lists_name"),
    )
    op.create_table(
        "subscribers",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=512), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.String(length=35), server_default="", nullable=False),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("account", sa.String(length=64), server_default="", nullable=False),
        sa.Column("variant", sa.String(length=64), server_default="", nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscribers"),
        sa.UniqueConstraint("channel", "address", name="uq_subscribers_channel_address"),
    )
    op.create_table(
        "suppressions",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=512), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_suppressions"),
        sa.UniqueConstraint("channel", "address", name="uq_suppressions_channel_address"),
    )
    op.create_table(
        "memberships",
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("subscribed_at", _TIME, nullable=False),
        sa.Column("unsubscribed_at", _TIME, nullable=True),
        sa.Column("unsubscribed_by", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name="fk_memberships_list_id"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name="fk_memberships_subscriber_id"
        ),
        sa.PrimaryKeyConstraint("list_id", "subscriber_id", name="pk_memberships"),
    )
    op.create_index("ix_memberships_subscriber_id", "memberships", ["subscriber_id"], unique=False)
    op.create_table(
        "sends",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("digest_id", sa.BigInteger(), nullable=False),
        sa.Column("state", _STATE, nullable=False),
        sa.Column("is_test", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("held_reason", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column("request_hash", sa.String(length=64), nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("scheduled_for", _TIME, nullable=True),
        sa.Column("started_at", _TIME, nullable=True),
        sa.Column("finished_at", _TIME, nullable=True),
        sa.Column("deadline_at", _TIME, nullable=False),
        sa.Column("intended", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["digest_id"], ["digests.id"], name="fk_sends_digest_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sends"),
        sa.UniqueConstraint("idempotency_key", name="uq_sends_idempotency_key"),
    )
    op.create_index("ix_sends_digest_id", "sends", ["digest_id"], unique=False)
    op.create_index("ix_sends_state", "sends", ["state"], unique=False)
    op.create_table(
        "batches",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("send_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("due_at", _TIME, nullable=True),
        sa.Column("hinted_at", _TIME, nullable=True),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("leased_by", sa.String(length=200), nullable=True),
        sa.Column("leased_until", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["send_id"], ["sends.id"], name="fk_batches_send_id"),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
        sa.UniqueConstraint(
            "send_id", "channel", "number", name="uq_batches_send_id_channel_number"
        ),
    )
    op.create_index("ix_batches_due_at", "batches", ["due_at"], unique=False)
    op.create_table(
        "renderings",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("send_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("variant", sa.String(length=64), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["send_id"], ["sends.id"], name="fk_renderings_send_id"),
        sa.PrimaryKeyConstraint("id", name="pk_renderings"),
        sa.UniqueConstraint(
            "send_id",
            "channel",
            "account",
            "variant",
            name="uq_renderings_send_id_channel_account_variant",
        ),
    )
    op.create_table(
        "send_audiences",
        sa.Column("send_id", sa.BigInteger(), nullable=False),
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("digest_id", sa.BigInteger(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["digest_id"], ["digests.id"], name="fk_send_audiences_digest_id"),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name="fk_send_audiences_list_id"),
        sa.ForeignKeyConstraint(["send_id"], ["sends.id"], name="fk_send_audiences_send_id"),
        sa.PrimaryKeyConstraint("send_id", "list_id", "channel", name="pk_send_audiences"),
        sa.UniqueConstraint(
            "digest_id",
            "list_id",
            "channel",
            "run",
            name="uq_send_audiences_digest_id_list_id_channel_run",
        ),
    )
    op.create_table(
        "send_targets",
        sa.Column("send_id", sa.BigInteger(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["send_id"], ["sends.id"], name="fk_send_targets_send_id"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name="fk_send_targets_subscriber_id"
        ),
        sa.PrimaryKeyConstraint("send_id", "subscriber_id", name="pk_send_targets"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("send_id", sa.BigInteger(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("rendering_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=512), nullable=False),
        sa.Column("state", _STATE, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", _TIME, nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name="fk_deliveries_subscriber_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("send_id", "subscriber_id", name="uq_deliveries_send_id_subscriber_id"),
        postgresql_with={"fillfactor": 40},
    )
    op.create_index("ix_deliveries_batch_id_id", "deliveries", ["batch_id", "id"], unique=False)
    op.create_index("ix_deliveries_subscriber_id", "deliveries", ["subscriber_id"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("outcome", _STATE, nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("worker", sa.String(length=200), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
    )
    op.create_index("ix_attempts_delivery_id", "attempts", ["delivery_id"], unique=False)
    op.create_table(
        "parts",
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", _STATE, nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_parts_delivery_id"),
        sa.PrimaryKeyConstraint("delivery_id", "number", name="pk_parts"),
    )
