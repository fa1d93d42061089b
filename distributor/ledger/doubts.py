"""Doubts: deliveries of which a part may have been accepted though no answer says so.

A try that came to `unknown` may have arrived. Whatever is tried, refused or decided afterwards,
its delivery is in doubt until that part is accepted: it must not end as `failed`, `skipped` or
`canceled`, and its edition counts as handed over.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.attempts import OPERATOR, RESOLVED_RESEND, WORKER_LOST
from distributor.ledger.states import DeliveryState
from distributor.ledger.tables import attempts, deliveries


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


def is_doubt() -> sa.ColumnElement[bool]:
    """True of attempts that may have arrived.

    A try whose worker was lost is in the log as such until that worker's own report of it comes.
    Tries have their numbers from 1 on again after an operator asked for more.
    """
    report, note = attempts.alias(), attempts.alias()
    decided_between = sa.exists().where(
        note.c.delivery_id == attempts.c.delivery_id,
        note.c.worker == OPERATOR,
        note.c.id > attempts.c.id,
        note.c.id < report.c.id,
    )
    reported = sa.exists().where(
        report.c.delivery_id == attempts.c.delivery_id,
        report.c.part == attempts.c.part,
        report.c.number == attempts.c.number,
        report.c.id > attempts.c.id,
        ~decided_between,
    )
    return sa.or_(
        sa.and_(
            attempts.c.outcome == DeliveryState.UNKNOWN,
            sa.or_(attempts.c.code != WORKER_LOST, ~reported),
        ),
        # Stays when old tries are dropped.
        attempts.c.code == RESOLVED_RESEND,
    )


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
