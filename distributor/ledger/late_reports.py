"""Late reports: what a worker has to tell after it lost the lease."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import attempts, batches, doubts
from distributor.ledger.attempts import WORKER_LOST, Attempt
from distributor.ledger.batches import Claim
from distributor.ledger.deliveries import Change
from distributor.ledger.states import DeliveryState, SendState
from distributor.ledger.tables import deliveries, sends


def lock_if_open(connection: Connection, send_id: int) -> bool:
    """Whether the send may still get open deliveries; if so, nobody ends it in this transaction.

    To be called before anything of the send is changed: operators lock the send first, too.
    """
    query = (
        sa.select(sends.c.id)
        .where(sends.c.id == send_id, sends.c.state.in_((SendState.SENDING, SendState.PAUSED)))
        .with_for_update(read=True)
    )
    return connection.execute(query).first() is not None


def record(
    connection: Connection, claim: Claim, tried: Attempt, change: Change, *, is_open: bool
) -> None:
    """Add a try to the delivery log; its delivery takes the outcome only where nobody knew better.

    That is where it was taken for an orphan and nobody has tried it since. `is_open` is what
    `lock_if_open` said of the send: what would leave work to do cannot open one that has ended.
    """
    attempts.add(connection, [tried])
    attempts.keep_parts(connection, [tried])
    if change.state is DeliveryState.SENDING:
        change = Change(DeliveryState.RETRYING, attempts=0, next_attempt_at=tried.at)
    if change.next_attempt_at is None:
        _move(connection, tried, change)
    elif is_open and _move(connection, tried, change):
        batches.wake(connection, claim.batch_id, change.next_attempt_at)


def _move(connection: Connection, tried: Attempt, change: Change) -> bool:
    values: dict[str, Any] = {
        "state": change.state,
        "attempts": change.attempts,
        "next_attempt_at": change.next_attempt_at,
        "code": tried.code,
        "reply": tried.reply,
        "updated_at": tried.at,
    }
    if tried.message_id is not None:
        values["message_id"] = tried.message_id
    if change.address is not None:
        values["address"] = change.address
    moved = connection.execute(
        sa.update(deliveries)
        .where(
            deliveries.c.id == tried.delivery_id,
            deliveries.c.state.in_((DeliveryState.UNKNOWN, DeliveryState.RETRYING)),
            deliveries.c.code == WORKER_LOST,
        )
        .values(values)
    )
    if moved.rowcount and change.state is DeliveryState.FAILED:
        # An earlier try may have arrived.
        doubts.end(connection, deliveries.c.id == tried.delivery_id, tried.at)
    return moved.rowcount == 1
