"""Answers: what platforms said, written down many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import (
    attempts,
    batches,
    bulk,
    doubts,
    late_reports,
    reachability,
    strikes,
)
from distributor.ledger.attempts import Attempt
from distributor.ledger.batches import Claim
from distributor.ledger.deliveries import Change
from distributor.ledger.states import DeliveryState
from distributor.ledger.tables import deliveries as table
from distributor.suppression import SuppressionReason


@dataclass(frozen=True, slots=True)
class Answer:
    """One try at one part with everything that follows from it."""

    subscriber_id: int
    address: str
    attempt: Attempt
    change: Change
    #: Why the address must not be sent to again, if so; some reasons count only when they come
    #: again (see `strikes`).
    suppress: SuppressionReason | None = None

    @property
    def goes_on(self) -> bool:
        """The part was accepted and another one follows."""
        return self.change.state is DeliveryState.SENDING


def record(connection: Connection, claim: Claim, answers: Sequence[Answer]) -> None:
    """Add `answers` to the delivery log and move their deliveries on, in their order.

    When the lease was lost meanwhile, the log keeps every try, and a delivery takes its outcome
    only where nobody knew better.
    """
    if not answers:
        return
    if batches.lock_lease(connection, claim):
        _record_ours(connection, answers)
    else:
        send = late_reports.lock_send(connection, claim.send_id)
        of_each: dict[int, list[Answer]] = {}
        for answer in answers:
            of_each.setdefault(answer.attempt.delivery_id, []).append(answer)
        for of_one in of_each.values():
            late_reports.record(connection, claim, of_one, send=send)
    for answer in answers:
        _draw_consequences(connection, claim, answer)
    # Nearly everybody gets it with the first try, and nothing was noted against them.
    got_it_later = [
        answer.address
        for answer in answers
        if answer.attempt.number > 1 and answer.change.state is DeliveryState.SENT
    ]
    if got_it_later:
        strikes.take_back(connection, claim.channel, got_it_later, send_id=claim.send_id)


def _record_ours(connection: Connection, answers: Sequence[Answer]) -> None:
    attempts.add(connection, [answer.attempt for answer in answers])
    # A delivery of one part says itself what became of it.
    of_many = [one.attempt for one in answers if one.attempt.part > 1 or one.goes_on]
    attempts.keep_parts(connection, of_many)
    # One row a delivery: of several parts in a row the last one says where it stands.
    last = {answer.attempt.delivery_id: answer for answer in answers}
    bulk.update(
        connection,
        table,
        [_row(answer) for answer in last.values()],
        where=table.c.state == DeliveryState.SENDING,
        unless_null=frozenset({"message_id", "address"}),
    )
    refused = [one.attempt for one in last.values() if one.change.state is DeliveryState.FAILED]
    if refused:
        these = bulk.among(connection, table.c.id, [one.delivery_id for one in refused])
        is_refused = sa.and_(these, table.c.state == DeliveryState.FAILED)
        doubts.end(connection, is_refused, max(one.at for one in refused))


def _row(answer: Answer) -> dict[str, Any]:
    attempt, change = answer.attempt, answer.change
    return {
        "id": attempt.delivery_id,
        "state": change.state,
        "attempts": change.attempts,
        "next_attempt_at": change.next_attempt_at,
        "code": attempt.code,
        "reply": attempt.reply,
        "updated_at": attempt.at,
        "message_id": attempt.message_id,
        "address": change.address,
    }


def _draw_consequences(connection: Connection, claim: Claim, answer: Answer) -> None:
    attempt = answer.attempt
    if answer.suppress is not None and strikes.add(
        connection,
        claim.channel,
        answer.address,
        answer.suppress,
        send_id=claim.send_id,
        at=attempt.at,
    ):
        reachability.suppress(
            connection,
            claim.channel,
            answer.address,
            reason=answer.suppress,
            detail=f"send {claim.send_id}: {attempt.code} {attempt.reply}",
            at=attempt.at,
        )
    if answer.change.address is not None:
        reachability.move_subscriber(connection, answer.subscriber_id, answer.change.address)
