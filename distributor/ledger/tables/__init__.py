"""The tables, the same on SQLite and PostgreSQL."""

from distributor.ledger.tables.audience import lists, memberships, subscribers, suppressions
from distributor.ledger.tables.catalogue import digests, edition_revisions, editions, source_marks
from distributor.ledger.tables.columns import UtcDateTime, metadata
from distributor.ledger.tables.delivery import (
    attempts,
    deliveries,
    in_state,
    is_doubt,
    parts,
    tallies,
)
from distributor.ledger.tables.feedback import reports, strikes
from distributor.ledger.tables.rests import breakers, stops
from distributor.ledger.tables.sending import (
    answered_requests,
    batches,
    renderings,
    send_audiences,
    send_targets,
    sends,
)

__all__ = [
    "UtcDateTime",
    "answered_requests",
    "attempts",
    "batches",
    "breakers",
    "deliveries",
    "digests",
    "edition_revisions",
    "editions",
    "in_state",
    "is_doubt",
    "lists",
    "memberships",
    "metadata",
    "parts",
    "renderings",
    "reports",
    "send_audiences",
    "send_targets",
    "sends",
    "source_marks",
    "stops",
    "strikes",
    "subscribers",
    "suppressions",
    "tallies",
]
