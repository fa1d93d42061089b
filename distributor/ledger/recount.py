"""The books of a send once more, this time from the delivery log.

What the platforms said decides: a delivery is sent when every part of it was accepted, failed
when the refusal it ended with is in the log, unknown when a try at the part that is missing may
have arrived. Only
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

from distributor.ledger.attempts import OPERATOR
from distributor.ledger.decisions import part_counts
from distributor.ledger.deliveries import EXPIRED
from distributor.ledger.states import OPEN_STATES, DeliveryState
from distributor.ledger.tables import attempts, deliveries, is_doubt

_AFTER_SENT = (DeliveryState.BOUNCED, DeliveryState.COMPLAINED)
_NOT_ENDED_BY_A_TRY = (*OPEN_STATES, DeliveryState.SKIPPED, DeliveryState.CANCELED)
_TRIED_AGAIN = (DeliveryState.SENDING, DeliveryState.RETRYING)
_REFUSED = (DeliveryState.FAILED, DeliveryState.RETRYING)
#: What the last word in the log makes of a delivery that nothing else explains.
_OUTCOMES = {
    # Accepted so far, but with parts left.
    DeliveryState.SENT: DeliveryState.SENDING,
    DeliveryState.FAILED: DeliveryState.FAILED,
    DeliveryState.UNKNOWN: DeliveryState.UNKNOWN,
    DeliveryState.RETRYING: DeliveryState.RETRYING,
}


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
    each = _each(send_id, sizes).subquery()
    state = _told(each.c).label("told")
    rows = connection.execute(
        sa.select(each.c.channel, state, sa.func.count()).group_by(each.c.channel, state)
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
        .select_from(deliveries.join(attempts, attempts.c.delivery_id == deliveries.c.id))
        .where(deliveries.c.send_id == send_id, attempts.c.worker != OPERATOR)
        .group_by(deliveries.c.channel)
        .order_by(deliveries.c.channel)
    )
    return {channel: Tries(*rest) for channel, *rest in rows}


def _each(send_id: int, sizes: Mapping[int, int]) -> sa.Select[Any]:
    """One row a delivery: what it is, and what the log has about it. Null where it has nothing."""
    outcome = attempts.c.outcome
    accepted = sa.case((outcome == DeliveryState.SENT, attempts.c.part))
    refusal = sa.and_(outcome.in_(_REFUSED), attempts.c.code == deliveries.c.code)
    return (
        sa.select(
            deliveries.c.channel,
            sa.cast(deliveries.c.state, sa.String).label("state"),
            (deliveries.c.code == EXPIRED).label("expired"),
            sa.case(sizes, value=deliveries.c.rendering_id).label("parts"),
            sa.func.count(accepted.distinct()).label("accepted"),
            sa.func.max(sa.case((refusal, attempts.c.id))).label("refusal"),
            sa.func.max(attempts.c.id).label("last"),
            sa.func.max(sa.case((is_doubt(), attempts.c.part))).label("doubted"),
            *(
                sa.func.max(sa.case((outcome == state, attempts.c.id))).label(f"last_{state}")
                for state in _OUTCOMES
            ),
        )
        .select_from(deliveries.outerjoin(attempts, attempts.c.delivery_id == deliveries.c.id))
        .where(deliveries.c.send_id == send_id)
        .group_by(deliveries.c.id)
    )


def _told(each: sa.ColumnCollection[str, Any]) -> sa.ColumnElement[str]:
    """The state of a delivery as the log tells it."""
    state = each["state"]
    last_is_final = sa.or_(
        each["last_failed"] == each["last"], each["last_unknown"] == each["last"]
    )
    is_open = sa.func.coalesce(last_is_final, sa.false()).is_(sa.false())
    confirmed = sa.or_(
        sa.and_(state == DeliveryState.FAILED.value, each["refusal"].is_not(None)),
        sa.and_(state == DeliveryState.FAILED.value, each["expired"], is_open),
        sa.and_(state == DeliveryState.UNKNOWN.value, each["last_unknown"].is_not(None)),
        sa.and_(state.in_([one.value for one in _NOT_ENDED_BY_A_TRY]), is_open),
        # An account may want what is unknown to be sent again.
        sa.and_(
            state.in_([one.value for one in _TRIED_AGAIN]), each["last_unknown"] == each["last"]
        ),
    )
    return sa.case(
        (
            each["accepted"] >= each["parts"],
            sa.case(
                (state.in_([one.value for one in _AFTER_SENT]), state),
                else_=DeliveryState.SENT.value,
            ),
        ),
        (
            sa.and_(
                each["doubted"] > each["accepted"],
                state.not_in([one.value for one in OPEN_STATES]),
            ),
            DeliveryState.UNKNOWN.value,
        ),
        (confirmed, state),
        *(
            (each[f"last_{outcome}"] == each["last"], told.value)
            for outcome, told in _OUTCOMES.items()
        ),
        else_=DeliveryState.QUEUED.value,
    )
