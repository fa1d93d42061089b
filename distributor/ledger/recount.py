"""The books of a send once more, this time from the delivery log.

What the platforms said decides: a delivery is sent when every part of it was accepted, failed
when the refusal it ended with is in the log, unknown when a try of it may have arrived. Only
what no try can tell is taken from the delivery: that it still waits, that it was skipped,
canceled or out of time, and that a sent one was returned or complained about later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.deliveries import EXPIRED
from distributor.ledger.states import OPEN_STATES, DeliveryState
from distributor.ledger.steering import OPERATOR, part_counts
from distributor.ledger.tables import attempts, deliveries

_AFTER_SENT = (DeliveryState.BOUNCED, DeliveryState.COMPLAINED)
_NOT_ENDED_BY_A_TRY = (*OPEN_STATES, DeliveryState.SKIPPED, DeliveryState.CANCELED)
_TRIED_AGAIN = (DeliveryState.SENDING, DeliveryState.RETRYING)
_REFUSED = (DeliveryState.FAILED, DeliveryState.RETRYING)


@dataclass(frozen=True, slots=True)
class Tries:
    """How often the workers tried on a channel, and when first and last."""

    number: int
    first_at: datetime
    last_at: datetime


def by_channel(connection: Connection, send_id: int) -> dict[str, dict[DeliveryState, int]]:
    """Deliveries of a send by channel and by the state that the log says they are in."""
    sizes = part_counts(connection, send_id)
    if not sizes:
        return {}
    log = _logged(send_id)
    parts = sa.case(sizes, value=deliveries.c.rendering_id)
    state = _told(log, parts).label("state")
    rows = connection.execute(
        sa.select(deliveries.c.channel, state, sa.func.count())
        .select_from(deliveries.outerjoin(log, log.c.delivery_id == deliveries.c.id))
        .where(deliveries.c.send_id == send_id)
        .group_by(deliveries.c.channel, state)
    )
    counted: dict[str, dict[DeliveryState, int]] = {}
    for channel, told, number in rows:
        counted.setdefault(channel, {})[DeliveryState(told)] = number
    return counted


def tries(connection: Connection, send_id: int) -> Mapping[str, Tries]:
    """By channel, in alphabetical order; a channel without a try is not there."""
    rows = connection.execute(
        sa.select(
            deliveries.c.channel,
            sa.func.count(),
            sa.func.min(attempts.c.at),
            sa.func.max(attempts.c.at),
        )
        .select_from(deliveries.join(attempts))
        .where(deliveries.c.send_id == send_id, attempts.c.worker != OPERATOR)
        .group_by(deliveries.c.channel)
        .order_by(deliveries.c.channel)
    )
    return {channel: Tries(*rest) for channel, *rest in rows}


def _logged(send_id: int) -> sa.Subquery:
    """What the log holds of each delivery that was tried, one row a delivery."""
    accepted = sa.case((attempts.c.outcome == DeliveryState.SENT, attempts.c.part))
    refusal = sa.and_(attempts.c.outcome.in_(_REFUSED), attempts.c.code == deliveries.c.code)
    doubt = attempts.c.outcome == DeliveryState.UNKNOWN
    each = (
        sa.select(
            attempts.c.delivery_id,
            sa.func.max(attempts.c.id).label("last_id"),
            sa.func.count(accepted.distinct()).label("accepted"),
            sa.func.max(sa.case((refusal, 1), else_=0)).label("refused"),
            sa.func.max(sa.case((doubt, 1), else_=0)).label("doubted"),
        )
        .select_from(deliveries.join(attempts))
        .where(deliveries.c.send_id == send_id)
        .group_by(attempts.c.delivery_id)
        .subquery()
    )
    last = attempts.alias()
    return (
        sa.select(
            each.c.delivery_id,
            each.c.accepted,
            each.c.refused,
            each.c.doubted,
            last.c.outcome.label("last_outcome"),
        )
        .join_from(each, last, last.c.id == each.c.last_id)
        .subquery()
    )


def _told(log: sa.Subquery, parts: sa.ColumnElement[int]) -> sa.ColumnElement[Any]:
    """The state of a delivery as the log tells it."""
    state = deliveries.c.state
    last = sa.func.coalesce(log.c.last_outcome, DeliveryState.QUEUED.value)
    is_open = last.not_in((DeliveryState.FAILED.value, DeliveryState.UNKNOWN.value))
    confirmed = sa.or_(
        sa.and_(state == DeliveryState.FAILED, log.c.refused == 1),
        sa.and_(state == DeliveryState.FAILED, deliveries.c.code == EXPIRED, is_open),
        sa.and_(state == DeliveryState.UNKNOWN, log.c.doubted == 1),
        sa.and_(state.in_(_NOT_ENDED_BY_A_TRY), is_open),
        # An account may want what is unknown to be sent again.
        sa.and_(state.in_(_TRIED_AGAIN), last == DeliveryState.UNKNOWN.value),
    )
    return sa.case(
        (
            sa.and_(log.c.accepted >= parts, state.not_in(_AFTER_SENT)),
            DeliveryState.SENT.value,
        ),
        (sa.and_(log.c.accepted >= parts, state.in_(_AFTER_SENT)), sa.cast(state, sa.String)),
        (confirmed, sa.cast(state, sa.String)),
        # Accepted so far, but with parts left.
        (last == DeliveryState.SENT.value, DeliveryState.SENDING.value),
        else_=sa.cast(last, sa.String),
    )
