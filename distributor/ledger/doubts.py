"""Doubts: deliveries of which a part may have been accepted though no answer says so.

A try that came to `unknown` may have arrived. Whatever is tried, refused or decided afterwards,
its delivery is in doubt until that part is accepted: it must not end as `failed`, `skipped` or
`canceled`, and its edition counts as handed over.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.states import DeliveryState
from distributor.ledger.tables import attempts, deliveries, is_doubt


def end(connection: Connection, chosen: sa.ColumnElement[bool], at: datetime) -> int:
    """Let those of the `chosen` deliveries that are in doubt be `unknown`; returns how many.

    Their code and reply are those of the try that may have arrived, not of one after it.
    """
    doubt = _doubts(deliveries.c.id)
    last = doubt.order_by(attempts.c.id.desc()).limit(1)
    # A delivery that nobody tried has no code: the log need not be asked about it.
    was_tried = deliveries.c.code.is_not(None)
    ended = connection.execute(
        sa.update(deliveries)
        .where(chosen, was_tried, doubt.exists())
        .values(
            state=DeliveryState.UNKNOWN,
            code=last.with_only_columns(attempts.c.code).scalar_subquery(),
            reply=last.with_only_columns(attempts.c.reply).scalar_subquery(),
            next_attempt_at=None,
            updated_at=at,
        )
    )
    return ended.rowcount


def is_in_doubt(connection: Connection, delivery_id: int) -> bool:
    """Whether a part of the delivery may have been accepted though no answer says so."""
    doubt = _doubts(sa.literal(delivery_id, sa.BigInteger)).exists()
    return bool(connection.execute(sa.select(doubt)).scalar())


def _doubts(delivery_id: sa.ColumnElement[int]) -> sa.Select[tuple[int]]:
    """The tries of a delivery that may have arrived, at parts that are not known to have."""
    accepted = attempts.alias()
    is_accepted = sa.exists().where(
        accepted.c.delivery_id == attempts.c.delivery_id,
        accepted.c.part == attempts.c.part,
        accepted.c.outcome == DeliveryState.SENT,
    )
    return (
        sa.select(attempts.c.id)
        .where(attempts.c.delivery_id == delivery_id, is_doubt(), ~is_accepted)
        .correlate(deliveries)
    )
