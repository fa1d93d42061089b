"""Answers: what platforms said, written down many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import attempts, batches, deliveries
from distributor.ledger.attempts import Attempt
from distributor.ledger.batches import Claim
from distributor.ledger.deliveries import Change
from distributor.ledger.states import DeliveryState
from distributor.ledger.tables import deliveries as table


@dataclass(frozen=True, slots=True)
class Answer:
    """One try at one part with everything that follows from it."""

    subscriber_id: int
    address: str
    attempt: Attempt
    change: Change
    #: Why the address must not be sent to again, if so.
    suppress: str | None = None


def record(connection: Connection, claim: Claim, answers: Sequence[Answer]) -> None:
    """Add `answers` to the delivery log and move their deliveries on, in their order.

    When the lease was lost meanwhile, the log keeps every try, and a delivery takes its outcome
    only where nobody knew better.
    """
    if not answers:
        return
    if batches.hold(connection, claim):
        _record_ours(connection, answers)
    else:
        for answer in answers:
            deliveries.record(connection, claim, answer.attempt, answer.change)
    for answer in answers:
        _draw_consequences(connection, claim, answer)


def _record_ours(connection: Connection, answers: Sequence[Answer]) -> None:
    attempts.add(connection, [answer.attempt for answer in answers])
    attempts.keep_parts(connection, [answer.attempt for answer in answers])
    # One row a delivery: of several parts in a row the last one says where it stands.
    last = {answer.attempt.delivery_id: answer for answer in answers}
    connection.execute(_MOVE, [_values(answer) for answer in last.values()])


_MOVE = (
    sa.update(table)
    .where(table.c.id == sa.bindparam("delivery"), table.c.state == DeliveryState.SENDING)
    .values(
        state=sa.bindparam("new_state"),
        attempts=sa.bindparam("new_attempts"),
        next_attempt_at=sa.bindparam("new_next_attempt_at"),
        code=sa.bindparam("new_code"),
        reply=sa.bindparam("new_reply"),
        updated_at=sa.bindparam("new_updated_at"),
        message_id=sa.func.coalesce(sa.bindparam("new_message_id"), table.c.message_id),
        address=sa.func.coalesce(sa.bindparam("new_address"), table.c.address),
    )
)


def _values(answer: Answer) -> dict[str, Any]:
    attempt, change = answer.attempt, answer.change
    return {
        "delivery": attempt.delivery_id,
        "new_state": change.state,
        "new_attempts": change.attempts,
        "new_next_attempt_at": change.next_attempt_at,
        "new_code": attempt.code,
        "new_reply": attempt.reply,
        "new_updated_at": attempt.at,
        "new_message_id": attempt.message_id,
        "new_address": change.address,
    }


def _draw_consequences(connection: Connection, claim: Claim, answer: Answer) -> None:
    attempt = answer.attempt
    if answer.suppress is not None:
        deliveries.suppress(
            connection,
            claim.channel,
            answer.address,
            reason=answer.suppress,
            detail=f"send {claim.send_id}: {attempt.code} {attempt.reply}",
            at=attempt.at,
        )
    if answer.change.address is not None:
        deliveries.move_subscriber(connection, answer.subscriber_id, answer.change.address)
