"""Orphans: deliveries whose worker was lost while the platform had their message."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import attempts
from distributor.ledger.attempts import Attempt
from distributor.ledger.batches import Claim
from distributor.ledger.deliveries import WORKER_LOST
from distributor.ledger.states import DeliveryState
from distributor.ledger.tables import deliveries


def settle(connection: Connection, claim: Claim, *, resend: bool, worker: str, at: datetime) -> int:
    """Settle what the batch's former holder had handed over when it was lost.

    Whoever holds the lease and has sent nothing yet finds only such deliveries in `sending`.
    They become `unknown`, or `retrying` when the account's policy is to send again with the
    same message identity. Returns how many there were.
    """
    of_batch = sa.and_(
        deliveries.c.batch_id == claim.batch_id, deliveries.c.state == DeliveryState.SENDING
    )
    orphans = connection.execute(
        sa.select(deliveries.c.id, deliveries.c.attempts).where(of_batch)
    ).all()
    if not orphans:
        return 0
    reached = attempts.accepted_parts(connection, [row.id for row in orphans])
    reply = "the worker was lost while the platform had the message; it may have arrived"
    attempts.add(
        connection,
        [
            Attempt(
                delivery_id=row.id,
                part=len(reached.get(row.id, [])) + 1,
                number=row.attempts,
                at=at,
                outcome=DeliveryState.UNKNOWN,
                code=WORKER_LOST,
                reply=reply,
                message_id=None,
                worker=worker,
                duration_ms=0,
            )
            for row in orphans
        ],
    )
    connection.execute(
        sa.update(deliveries)
        .where(of_batch)
        .values(
            state=DeliveryState.RETRYING if resend else DeliveryState.UNKNOWN,
            next_attempt_at=at if resend else None,
            code=WORKER_LOST,
            reply=reply,
            updated_at=at,
        )
    )
    return len(orphans)
