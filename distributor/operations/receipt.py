"""The receipt of a send: what became of everyone it was meant for, checked against the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from channels.base import AWAITS_PERSON
from distributor.engine.context import Context
from distributor.ledger import books, log, recount, sends
from distributor.ledger.attempts import RESOLVED_SENT
from distributor.ledger.books import SendBooks
from distributor.ledger.log import Reason
from distributor.ledger.recount import Tries
from distributor.ledger.sends import Send
from distributor.ledger.states import DeliveryState, SendState
from distributor.operations.lookup import find_send
from distributor.operations.times import iso
from distributor.privacy import without_addresses

#: Deliveries in these need no words yet.
_UNEXPLAINED = (DeliveryState.QUEUED, DeliveryState.SENDING)


@dataclass(frozen=True, slots=True)
class Difference:
    """A state of which the books and the delivery log do not count the same deliveries."""

    channel: str
    state: DeliveryState
    in_books: int
    in_log: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a send, and whether the delivery log says the same."""

    send: Send
    #: When it was drawn up.
    at: datetime
    lists: tuple[str, ...]
    books: SendBooks
    #: By channel; one on which nobody was tried is not there.
    tries: Mapping[str, Tries]
    #: Why deliveries were not sent, or were by somebody's word only; no address is in it.
    reasons: tuple[Reason, ...]
    #: Empty when the books are what the log says, or the log is no longer kept.
    differences: tuple[Difference, ...]

    @property
    def is_provisional(self) -> bool:
        """The send has not ended, or something of it is still in a worker's hands."""
        ended = (SendState.FINISHED, SendState.CANCELED, SendState.HELD)
        return self.send.state not in ended or self.books.total.open > 0

    @property
    def holds(self) -> bool:
        """The books add up, and the log says the same as long as it is kept."""
        return self.books.total.balanced and not self.differences

    @property
    def terms(self) -> tuple[tuple[DeliveryState, int], ...]:
        """What `intended` is the sum of: the states of every receipt, and others that occur."""
        total = self.books.total
        return tuple((state, total[state]) for state in _ORDER if state in _STATED or total[state])

    @property
    def all_tries(self) -> Tries | None:
        """Of all channels together; None when nobody was tried."""
        each = self.tries.values()
        if not each:
            return None
        return Tries(
            sum(one.number for one in each),
            min(one.first_at for one in each),
            max(one.last_at for one in each),
        )

    def as_json(self) -> dict[str, object]:
        """The object of `receipt SEND --json`."""
        send = self.send
        return {
            "send": send.id,
            "digest": send.revision,
            "title": send.title,
            "state": send.state.value,
            "held_reason": send.held_reason,
            "test": send.is_test,
            "provisional": self.is_provisional,
            "lists": list(self.lists),
            "created_at": iso(send.created_at),
            "scheduled_for": iso(send.scheduled_for),
            "started_at": iso(send.started_at),
            "finished_at": iso(send.finished_at),
            "deadline_at": iso(send.deadline_at),
            "drawn_up_at": iso(self.at),
            "books": self.books.total.as_json(),
            "channels": {name: one.as_json() for name, one in self.books.channels.items()},
            "tries": {
                name: {
                    "number": one.number,
                    "first_at": iso(one.first_at),
                    "last_at": iso(one.last_at),
                }
                for name, one in self.tries.items()
            },
            "reasons": [
                {
                    "channel": reason.channel,
                    "state": reason.state.value,
                    "code": reason.code,
                    "number": reason.number,
                    "reply": reason.reply,
                }
                for reason in self.reasons
            ],
            "check": {
                "balanced": self.books.total.balanced,
                "agrees": None if send.attempts_dropped_at else not self.differences,
                "attempts_dropped_at": iso(send.attempts_dropped_at),
                "differences": [
                    {
                        "channel": one.channel,
                        "state": one.state.value,
                        "books": one.in_books,
                        "log": one.in_log,
                    }
                    for one in self.differences
                ],
            },
        }


#: Named in every receipt, also when nothing is in them.
_STATED = (
    DeliveryState.SENT,
    DeliveryState.FAILED,
    DeliveryState.UNKNOWN,
    DeliveryState.SKIPPED,
    DeliveryState.CANCELED,
)
#: As a receipt names them: what ended first, what is open last.
_ORDER = (
    *_STATED,
    DeliveryState.BOUNCED,
    DeliveryState.COMPLAINED,
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.RETRYING,
)


def draw_up(context: Context, send_id: int) -> Receipt:
    """The receipt of a send as of now. Raises `OperationError` for a send that is not there."""
    with context.ledger.read() as connection:
        send = find_send(connection, send_id)
        counted = books.of_send(connection, send_id, exact=True)
        explained = [state for state in DeliveryState if state not in _UNEXPLAINED]
        reasons = log.reasons(connection, send_id, *explained, exact=True)
        return Receipt(
            send=send,
            at=context.now(),
            lists=sends.list_names(connection, send_id),
            books=counted,
            tries={} if send.attempts_dropped_at else recount.tries(connection, send_id),
            reasons=tuple(_without_addresses(one) for one in reasons if _needs_words(one)),
            differences=()
            if send.attempts_dropped_at
            else _differences(counted, recount.by_channel(connection, send_id)),
        )


def _differences(
    counted: SendBooks, told: Mapping[str, Mapping[DeliveryState, int]]
) -> tuple[Difference, ...]:
    return tuple(
        Difference(channel, state, in_books[state], in_log)
        for channel, in_books in counted.channels.items()
        for state in DeliveryState
        if (in_log := told.get(channel, {}).get(state, 0)) != in_books[state]
    )


def _needs_words(reason: Reason) -> bool:
    return reason.state is not DeliveryState.SENT or reason.code in (RESOLVED_SENT, AWAITS_PERSON)


def _without_addresses(reason: Reason) -> Reason:
    return replace(reason, reply=without_addresses(reason.reply))
