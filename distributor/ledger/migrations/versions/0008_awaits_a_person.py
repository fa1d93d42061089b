"""Tallies keep the code of deliveries that were accepted and still wait for a person."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

_TALLY = """
CREATE OR REPLACE FUNCTION tally_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
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
#: The code is `channels.base.AWAITS_PERSON`; an accepted delivery needs no other reason.
_REASON = """CASE
  WHEN state = 'sent' AND code = 'draft-ready' THEN code
  WHEN state IN ('queued', 'sending', 'sent') THEN ''
  ELSE coalesce(code, '')
END"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_TALLY.format(reason=_REASON))
