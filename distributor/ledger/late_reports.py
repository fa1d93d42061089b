"""Late reports: what a worker has to tell after it lost the lease.

Another worker had to write `worker-lost` into the log for what was in flight then. A report takes
the place of that row: it is what became of the same try.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import attempts, batches, doubts
from distributor.ledger.attempts import OPERATOR, WORKER_LOST, Attempt
from distributor.ledger.batches import Claim
from distributor.ledger.states import DeliveryState, SendState
from distributor.ledger.steering import CANCELED
from distributor.ledger.tables import attempts as log
from distributor.ledger.tables import deliveries, sends

if TYPE_CHECKING:
    from distributor.ledger.answers import Answer

_STARTED = (SendState.SENDING, SendState.PAUSED)


def lock_send(connection: Connection, send_id: int) -> SendState:
    """The state of the send, which nobody ends in this transaction.

    To be called before anything of the send is changed: operators lock the send first, too.
    """
    query = sa.select(sends.c.state).where(sends.c.id == send_id).with_for_update(read=True)
    return SendState(connection.execute(query).scalar_one())


def record(
    connection: Connection, claim: Claim, answers: Sequence[Answer], *, send: SendState
) -> None:
    """Write down what came of one delivery's tries, in their order, and what follows from it.

    The delivery takes the outcome where nobody knows better: while it is `unknown`, or waits.
    `send` is what `lock_send` said: what would leave work to do cannot open one that has ended.
    """
    for answer in answers:
        if not _replace_lost(connection, answer.attempt):
            attempts.add(connection, [answer.attempt])
    attempts.keep_parts(connection, [answer.attempt for answer in answers])
    last = answers[-1]
    this = deliveries.c.id == last.attempt.delivery_id
    query = sa.select(deliveries.c.state, deliveries.c.code).where(this)
    found = connection.execute(query.with_for_update(key_share=True)).one()
    if found.state not in (DeliveryState.UNKNOWN, DeliveryState.RETRYING):
        return
    if last.change.state is DeliveryState.SENT:
        _end(connection, last, DeliveryState.SENT, last.attempt.code, last.attempt.reply)
    elif not doubts.is_in_doubt(connection, last.attempt.delivery_id):
        waits_already = found.state is DeliveryState.RETRYING and found.code != WORKER_LOST
        _settle(connection, claim, last, send, waits_already=waits_already)


def _replace_lost(connection: Connection, tried: Attempt) -> bool:
    """Put a report in the place of the row that says that its worker was lost, if there is one."""
    lost = (
        sa.select(sa.func.min(log.c.id))
        .where(
            log.c.delivery_id == tried.delivery_id,
            log.c.part == tried.part,
            log.c.number == tried.number,
            log.c.code == WORKER_LOST,
        )
        .scalar_subquery()
    )
    replaced = connection.execute(
        sa.update(log)
        .where(log.c.id == lost)
        .values(
            at=tried.at,
            outcome=tried.outcome,
            code=tried.code,
            reply=tried.reply,
            message_id=tried.message_id,
            worker=tried.worker,
            duration_ms=tried.duration_ms,
        )
    )
    return replaced.rowcount == 1


def _settle(
    connection: Connection, claim: Claim, last: Answer, send: SendState, *, waits_already: bool
) -> None:
    """Let a delivery that is in no doubt any more be what the log says of it."""
    newest = _newest_try(connection, last.attempt.delivery_id)
    if newest.outcome is DeliveryState.FAILED:
        _end(connection, last, DeliveryState.FAILED, newest.code, newest.reply)
    elif waits_already:
        return
    elif send in _STARTED:
        _wait(connection, claim, last, newest)
    elif send is SendState.CANCELED:
        _end(connection, last, DeliveryState.CANCELED, CANCELED, None)
    else:
        # It was refused for now, and its send is over.
        _end(connection, last, DeliveryState.FAILED, newest.code, newest.reply)


def _newest_try(connection: Connection, delivery_id: int) -> sa.Row[Any, Any, Any]:
    query = sa.select(log.c.outcome, log.c.code, log.c.reply).where(
        log.c.delivery_id == delivery_id, log.c.worker != OPERATOR
    )
    return connection.execute(query.order_by(log.c.id.desc()).limit(1)).one()


def _wait(
    connection: Connection, claim: Claim, last: Answer, newest: sa.Row[Any, Any, Any]
) -> None:
    due_at = last.change.next_attempt_at or last.attempt.at
    # A part was accepted: tries of the next one have their numbers from 1 on.
    is_next_part = last.change.state is DeliveryState.SENDING
    tried = 0 if is_next_part else _at_least(last.change.attempts)
    _move(
        connection,
        last,
        state=DeliveryState.RETRYING,
        attempts=tried,
        next_attempt_at=due_at,
        code=newest.code,
        reply=newest.reply,
    )
    batches.wake(connection, claim.batch_id, due_at)


def _at_least(number: int) -> sa.ColumnElement[int]:
    """Numbers of tries never go back: another worker may have tried since."""
    return sa.case((deliveries.c.attempts < number, number), else_=deliveries.c.attempts)


def _end(
    connection: Connection, last: Answer, state: DeliveryState, code: str, reply: str | None
) -> None:
    _move(connection, last, state=state, next_attempt_at=None, code=code, reply=reply)


def _move(connection: Connection, last: Answer, **values: object) -> None:
    at: datetime = last.attempt.at
    known = {"message_id": last.attempt.message_id, "address": last.change.address}
    values |= {name: value for name, value in known.items() if value is not None}
    this = deliveries.c.id == last.attempt.delivery_id
    connection.execute(sa.update(deliveries).where(this).values(updated_at=at, **values))
