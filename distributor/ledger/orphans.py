"""Orphans: deliveries that a worker held when it was lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import answers, attempts, deliveries
from distributor.ledger.answers import Answer
from distributor.ledger.attempts import WORKER_LOST, Attempt
from distributor.ledger.batches import Claim
from distributor.ledger.states import DeliveryState
from distributor.ledger.tables import deliveries as table

_REPLY = "the worker was lost while the platform had the message; it may have arrived"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a lost worker left behind about the deliveries in its hands."""

    #: Every answer it got, in order; some may be in the ledger already.
    answers: tuple[Answer, ...]
    #: The deliveries that had a message on its way: one, or all of one call.
    in_doubt: frozenset[int] = frozenset()
    #: Whether what it does not tell of never left.
    is_complete: bool = True


def settle(
    connection: Connection,
    claim: Claim,
    evidence: Evidence | None,
    *,
    resend: bool,
    worker: str,
    at: datetime,
) -> int:
    """Settle what the batch's former holder had in its hands when it was lost.

    Whoever just got the lease finds only such deliveries in `sending`. With the former holder's
    evidence each answer counts, what never left waits again, and what was on its way is in doubt.
    Without it every one of them is, and where it is not complete, every one that has no answer.
    What is in doubt becomes `unknown`, or `retrying` when the account's policy is to send again
    with the same message identity. Returns how many those are.
    """
    if evidence is not None:
        _believe(connection, claim, evidence, at)
    doubtful = connection.execute(
        sa.select(table.c.id, table.c.attempts).where(_in_hands(claim))
    ).all()
    if not doubtful:
        return 0
    _log_doubt(connection, [(row.id, row.attempts) for row in doubtful], worker, at)
    connection.execute(
        sa.update(table)
        .where(_in_hands(claim))
        .values(
            state=DeliveryState.RETRYING if resend else DeliveryState.UNKNOWN,
            next_attempt_at=at if resend else None,
            code=WORKER_LOST,
            reply=_REPLY,
            updated_at=at,
        )
    )
    return len(doubtful)


def _believe(connection: Connection, claim: Claim, evidence: Evidence, at: datetime) -> None:
    answers.record(connection, claim, unlogged(connection, evidence.answers))
    if not evidence.is_complete:
        return
    left = connection.execute(sa.select(table.c.id).where(_in_hands(claim))).scalars()
    never_left = [delivery_id for delivery_id in left if delivery_id not in evidence.in_doubt]
    deliveries.put_back(connection, claim, never_left, at)


def unlogged(connection: Connection, given: Sequence[Answer]) -> list[Answer]:
    """Those of the answers that are not in the delivery log yet."""
    known = attempts.logged(connection, list({one.attempt.delivery_id for one in given}))
    return [
        one
        for one in given
        if (one.attempt.delivery_id, one.attempt.part, one.attempt.number, one.attempt.at)
        not in known
    ]


def _in_hands(claim: Claim) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.batch_id == claim.batch_id, table.c.state == DeliveryState.SENDING)


def _log_doubt(
    connection: Connection, doubtful: Sequence[tuple[int, int]], worker: str, at: datetime
) -> None:
    reached = attempts.accepted_parts(connection, [delivery_id for delivery_id, _ in doubtful])
    attempts.add(
        connection,
        [
            Attempt(
                delivery_id=delivery_id,
                part=len(reached.get(delivery_id, [])) + 1,
                number=number,
                at=at,
                outcome=DeliveryState.UNKNOWN,
                code=WORKER_LOST,
                reply=_REPLY,
                message_id=None,
                worker=worker,
                duration_ms=0,
            )
            for delivery_id, number in doubtful
        ],
    )
