"""Steering a send: pause, resume, cancel, retry what failed, resolve what is unknown.

Everything here may be repeated without harm, and takes effect with the next message that would
leave.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from distributor.engine.context import Context, Hints
from distributor.engine.ending import in_turns
from distributor.ledger import books, decisions, log, sends, steering, stops
from distributor.ledger.attempts import RESOLVED_RESEND, RESOLVED_SENT, RETRY
from distributor.ledger.decisions import Decision, Selection
from distributor.ledger.deliveries import Ended
from distributor.ledger.sends import Send
from distributor.ledger.states import WAITING_STATES, DeliveryState, SendState
from distributor.operations.errors import OperationError
from distributor.operations.lookup import check_channels, find_send, there
from distributor.operations.times import iso

_T = TypeVar("_T")

#: PostgreSQL's SQLSTATE for the victim of a deadlock.
_DEADLOCK = "40P01"
_TRIES = 3
#: An operator does not wait longer for a canceled send's deliveries to end; the sweeper goes on.
_LONGEST_ENDING_SECONDS = 3.0
_REASONS_NAMED = 5

#: States in which deliveries have been tried and may be tried again.
_TRIED = (SendState.SENDING, SendState.PAUSED, SendState.FINISHED)


class Resolution(StrEnum):
    """What an operator knows, or wants, of deliveries whose fate is unknown."""

    #: They arrived.
    SENT = "sent"
    #: They are to be sent again, with the same identity.
    RESEND = "resend"


@dataclass(frozen=True, slots=True)
class Steered:
    """A send after it was paused or resumed."""

    send_id: int
    state: SendState
    #: False when it was so already.
    changed: bool

    def as_json(self) -> dict[str, object]:
        """The object that scripts get."""
        return {"send": self.send_id, "state": self.state.value, "changed": self.changed}


@dataclass(frozen=True, slots=True)
class Canceled(Steered):
    """A send after it was canceled."""

    #: Deliveries that ended by it.
    canceled: int
    #: Deliveries that never leave and that the sweeper has yet to end, of a large send.
    waiting: int
    #: Deliveries that workers have in hand: what is leaving at this moment ends by its answer, and
    #: the rest is canceled.
    in_hand: int

    def as_json(self) -> dict[str, object]:
        """The object that scripts get."""
        numbers = {"canceled": self.canceled, "waiting": self.waiting, "in_hand": self.in_hand}
        return {**Steered.as_json(self), **numbers}


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of deliveries that an operator decided about."""

    send_id: int
    state: SendState
    #: Put back to work.
    queued: int = 0
    #: Known to have arrived by what the operator said.
    sent: int = 0
    #: Ended with parts unsent, because their send is canceled.
    canceled: int = 0
    #: Left as they are, because their addresses must not be sent to.
    suppressed: int = 0
    #: Until when what is queued may be tried.
    deadline_at: datetime | None = None

    @property
    def changed(self) -> bool:
        return bool(self.queued or self.sent or self.canceled)

    def as_json(self) -> dict[str, object]:
        """The object that scripts get."""
        return {
            "send": self.send_id,
            "state": self.state.value,
            "changed": self.changed,
            "queued": self.queued,
            "sent": self.sent,
            "canceled": self.canceled,
            "suppressed": self.suppressed,
            "deadline_at": iso(self.deadline_at),
        }


def approve(context: Context, hints: Hints, send_id: int) -> Steered:
    """Let a draft go. Raises `OperationError` when the send is none, unless it went already."""

    def move(connection: sa.Connection) -> Steered:
        send, now = _locked(connection, send_id), context.now()
        start_at = max(now, send.scheduled_for or now)
        deadline = start_at + timedelta(hours=context.settings.sending.deadline_hours)
        approved = steering.approve(connection, send_id, now, deadline)
        if not approved and send.state in (SendState.HELD, SendState.CANCELED):
            raise _refusal(send, "it cannot be approved")
        return Steered(send_id, find_send(connection, send_id).state, changed=approved)

    approved = _in_one(context, move)
    if approved.state is SendState.PREPARING:
        hints.prepare([send_id])
    return approved


def pause(context: Context, send_id: int) -> Steered:
    """Let no further message of the send leave until it is resumed.

    Raises `OperationError` for a send that is not under way.
    """

    def move(connection: sa.Connection) -> Steered:
        send = _locked(connection, send_id)
        paused = steering.pause(connection, send_id)
        if not paused and send.state is not SendState.PAUSED:
            raise _refusal(send, "it cannot be paused")
        return Steered(send_id, SendState.PAUSED, changed=paused)

    return _in_one(context, move)


def resume(context: Context, send_id: int) -> Steered:
    """Go on where the send was paused. Raises `OperationError` when it cannot go on."""

    def move(connection: sa.Connection) -> Steered:
        send = _locked(connection, send_id)
        resumed = steering.resume(connection, send_id, context.now())
        if not resumed and send.state not in (SendState.PREPARING, SendState.SENDING):
            raise _refusal(send, "it cannot be resumed")
        # What it waited for may have ended while it was paused.
        sends.close_if_done(connection, send_id, context.now())
        return Steered(send_id, find_send(connection, send_id).state, changed=resumed)

    return _in_one(context, move)


def cancel(context: Context, send_id: int) -> Canceled:
    """End the send: what has not left never will. Raises `OperationError` when it has finished."""

    def move(connection: sa.Connection) -> bool:
        send = _locked(connection, send_id)
        canceled = steering.cancel(connection, send_id, context.now())
        if not canceled and send.state is not SendState.CANCELED:
            raise _refusal(send, "nothing is left to cancel")
        return canceled

    changed = _in_one(context, move)
    _end_canceled(context, send_id)
    with context.ledger.read() as connection:
        total = books.of_send(connection, send_id).total
    return Canceled(
        send_id,
        SendState.CANCELED,
        changed,
        canceled=total[DeliveryState.CANCELED],
        waiting=sum(total[state] for state in WAITING_STATES),
        in_hand=total[DeliveryState.SENDING],
    )


def retry(context: Context, send_id: int, selection: Selection, *, operator: str) -> Decided:
    """Try again what failed, with a new deadline; `operator` is named in the delivery log.

    Parts that were accepted are not sent again, and suppressed addresses stay out. Mail domains
    that refused us are tried at once. Raises `OperationError` when nothing was tried yet or the
    send is canceled.
    """
    check_channels(selection.channels)

    def move(connection: sa.Connection) -> Decided:
        send = _locked(connection, send_id)
        if send.state not in _TRIED:
            raise _refusal(send, "it cannot be retried")
        words = f"{operator} asked for another try"
        decision = Decision(RETRY, words, context.now())
        stops.try_now(connection, send_id, decision.at)
        return _requeue(context, connection, send, DeliveryState.FAILED, selection, decision)

    return _in_one(context, move)


def resolve(
    context: Context, send_id: int, resolution: Resolution, selection: Selection, *, operator: str
) -> Decided:
    """Decide about deliveries that may or may not have arrived; `operator` is named in the log.

    Taken as sent, a delivery with further parts goes on with them. Raises `OperationError` when
    nothing was tried yet, or when a canceled send would have to be sent again.
    """
    check_channels(selection.channels)

    def move(connection: sa.Connection) -> Decided:
        send = _locked(connection, send_id)
        resend = resolution is Resolution.RESEND
        if send.state not in (_TRIED if resend else (*_TRIED, SendState.CANCELED)):
            raise _refusal(send, f"its deliveries cannot be resolved as {resolution.value}")
        if resend:
            decision = Decision(RESOLVED_RESEND, f"{operator}: send it again", context.now())
            return _requeue(context, connection, send, DeliveryState.UNKNOWN, selection, decision)
        decision = Decision(RESOLVED_SENT, f"{operator}: it arrived", context.now())
        sent, partial = decisions.resolve_as_sent(connection, send, selection, decision)
        if send.state is SendState.CANCELED:
            return Decided(send_id, send.state, sent=sent, canceled=partial)
        return _reopened(context, connection, send, Decided(send_id, send.state, partial, sent))

    return _in_one(context, move)


def reasons(context: Context, send_id: int, state: DeliveryState) -> str:
    """The codes of deliveries in `state` with their numbers, to choose from; empty without any."""
    with context.ledger.read() as connection:
        found = log.reasons(connection, send_id, state)
    named = [f"{one.code} ({one.number:,}, {one.channel})" for one in found[:_REASONS_NAMED]]
    return ", ".join(named)


def _end_canceled(context: Context, send_id: int) -> None:
    """End what waits in a canceled send, or as much as there is time for."""

    def end(after: int) -> Ended:
        def move(connection: sa.Connection) -> Ended:
            return steering.end_canceled(connection, send_id, context.now(), after=after)

        return _in_one(context, move)

    in_turns(context, end, until=time.monotonic() + _LONGEST_ENDING_SECONDS)


def _requeue(
    context: Context,
    connection: sa.Connection,
    send: Send,
    state: DeliveryState,
    selection: Selection,
    decision: Decision,
) -> Decided:
    queued = decisions.requeue(connection, send.id, state, selection, decision)
    left_out = decisions.count_suppressed(connection, send.id, state, selection)
    decided = Decided(send.id, send.state, queued=queued, suppressed=left_out)
    return _reopened(context, connection, send, decided)


def _reopened(context: Context, connection: sa.Connection, send: Send, decided: Decided) -> Decided:
    """Let workers go on with the send when something of it was queued."""
    if not decided.queued:
        return decided
    now = context.now()
    deadline = now + timedelta(hours=context.settings.sending.deadline_hours)
    steering.reopen(connection, send.id, deadline_at=deadline, at=now)
    after = find_send(connection, send.id)
    return replace(decided, state=after.state, deadline_at=after.deadline_at)


def _in_one(context: Context, move: Callable[[sa.Connection], _T]) -> _T:
    """Run `move` in one transaction; again when the database ended it in favour of a worker's."""
    for _ in range(_TRIES - 1):
        try:
            with context.ledger.write() as connection:
                return move(connection)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _DEADLOCK:
                raise
    with context.ledger.write() as connection:
        return move(connection)


def _locked(connection: sa.Connection, send_id: int) -> Send:
    return there(steering.lock(connection, send_id), send_id)


def _refusal(send: Send, why: str) -> OperationError:
    advice = _ADVICE[send.state].format(id=send.id)
    return OperationError(f"send {send.id} is {send.state.value}: {why}; {advice}")


#: What can be done with a send in each state.
_ADVICE: Mapping[SendState, str] = {
    SendState.DRAFT: "to let it go: distributor approve {id}, to end it: distributor cancel {id}",
    SendState.SCHEDULED: "it has not started; to end it: distributor cancel {id}",
    SendState.PREPARING: "it is being planned; see how it stands: distributor status {id}",
    SendState.SENDING: "it is under way; see how it stands: distributor status {id}",
    SendState.PAUSED: "to go on: distributor resume {id}, to end it: distributor cancel {id}",
    SendState.FINISHED: "every delivery has ended; to retry what failed: distributor retry {id}",
    SendState.CANCELED: "to send its edition again: distributor send FILE --list NAME --again",
    SendState.HELD: "nothing was sent; correct the edition and send it again",
}
