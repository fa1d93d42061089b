"""Deliveries are tallied by state; on PostgreSQL a trigger keeps that up as they change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: What a statement took from each state and gave to each: an accepted delivery needs no reason.
_TALLY = """
CREATE FUNCTION tally_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tallies (send_id, channel, state, code, reply, number)
  SELECT send_id, channel, state, reason, max(reply), sum(number)
  FROM (
    SELECT send_id, channel, state, {reason} AS reason, reply, 1 AS number FROM after_it
    UNION ALL
    SELECT send_id, channel, state, {reason}, NULL, -1 FROM before_it
  ) AS moved
  GROUP BY send_id, channel, state, reason
  HAVING sum(number) <> 0;
  RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER tally_deliveries AFTER UPDATE ON deliveries
REFERENCING OLD TABLE AS before_it NEW TABLE AS after_it
FOR EACH STATEMENT EXECUTE FUNCTION tally_deliveries()
"""
_PRESENT = """
INSERT INTO tallies (send_id, channel, state, code, reply, number)
SELECT send_id, channel, state, {reason}, max(reply), count(*) FROM deliveries
GROUP BY send_id, channel, state, {reason}
"""
_REASON = "CASE WHEN state IN ('queued', 'sending', 'sent') THEN '' ELSE coalesce(code, '') END"


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("send_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["send_id"], ["sends.id"], name="fk_tallies_send_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tallies"),
    )
    op.create_index("ix_tallies_send_id", "tallies", ["send_id"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        for statement in (_PRESENT, _TALLY, _TRIGGER):
            op.execute(statement.format(reason=_REASON))
