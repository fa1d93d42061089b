"""How a send stands: its books, its speed, and what is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from channels.base import AWAITS_PERSON
from distributor.engine.context import Context
from distributor.ledger import books, decisions, log, sends
from distributor.ledger import standstills as still
from distributor.ledger.books import SendBooks
from distributor.ledger.log import Reason
from distributor.ledger.sends import Send
from distributor.ledger.states import DeliveryState, SendState
from distributor.operations import rests, roster, standstills
from distributor.operations.lookup import find_send
from distributor.operations.times import iso

_TROUBLE = (DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.RETRYING)
_LEFT_OUT = (DeliveryState.SKIPPED, DeliveryState.BOUNCED, DeliveryState.COMPLAINED)


@dataclass(frozen=True, slots=True)
class SendStatus:
    send: Send
    lists: tuple[str, ...]
    books: SendBooks
    #: Deliveries ended per second since the send started; None before.
    rate: float | None
    #: At this rate; None when nothing is left, or nothing has moved for half a minute.
    time_left: timedelta | None
    #: Why deliveries failed, wait, are unknown, were left out, or need a person's hand.
    reasons: tuple[Reason, ...]
    #: Failed deliveries of a finished send that `retry` would try again: those whose address is
    #: not suppressed.
    retriable: int

    @property
    def over(self) -> bool:
        """Nothing more will happen without a person."""
        if self.send.state is SendState.CANCELED:
            # What was in flight still ends, and the sweeper ends what came back from there.
            return not self.books.total.open
        return self.send.state in (SendState.FINISHED, SendState.HELD)

    def as_json(self) -> dict[str, object]:
        """The object of `status SEND --json`."""
        send = self.send
        return {
            "send": send.id,
            "digest": send.revision,
            "title": send.title,
            "state": send.state.value,
            "held_reason": send.held_reason,
            "forced": send.forced,
            "forced_by": send.forced_by,
            "lists": list(self.lists),
            "books": self.books.total.as_json(),
            "balanced": self.books.total.balanced,
            "channels": {name: one.as_json() for name, one in self.books.channels.items()},
            "scheduled_for": iso(send.scheduled_for),
            "deadline_at": iso(send.deadline_at),
            "started_at": iso(send.started_at),
            "finished_at": iso(send.finished_at),
        }


def of_send(context: Context, send_id: int) -> SendStatus:
    """The status of one send. Raises `OperationError` for a send that is not there."""
    with context.ledger.read() as connection:
        send = find_send(connection, send_id)
        counted = books.of_send(connection, send_id)
        at = context.now()
        rate = _rate(send, counted, at)
        return SendStatus(
            send=send,
            lists=sends.list_names(connection, send_id),
            books=counted,
            rate=rate,
            time_left=_time_left(connection, send, counted, rate, at),
            reasons=log.reasons(connection, send_id, *_TROUBLE, *_LEFT_OUT, also=AWAITS_PERSON),
            retriable=_retriable(connection, send, counted),
        )


def why_idle(context: Context, now: SendStatus) -> tuple[str, ...]:
    """What nobody does for a send that has work left, and what to do; mostly empty."""
    if not roster.needs_workers(now.send.state):
        return ()
    channels = roster.open_channels(now.books)
    idle = roster.why_idle(roster.look(context.settings), now.send.state, channels)
    if idle:
        return idle
    at = context.now()
    with context.ledger.read() as connection:
        found = still.all_(connection, at)
    return standstills.of_send(found, now.send.id, at)


def who_waits(context: Context, now: SendStatus) -> tuple[str, ...]:
    """Accounts and mail domains that refuse us, of a send that has work left, in words."""
    channels = roster.open_channels(now.books)
    accounts = {account.name for name in channels for account in context.settings.accounts_of(name)}
    if now.over or not accounts:
        return ()
    with context.ledger.read() as connection:
        return tuple(rest.sentence for rest in rests.of_accounts(connection, accounts))


def recent(context: Context, limit: int) -> tuple[tuple[Send, SendBooks], ...]:
    """The newest sends with their books."""
    with context.ledger.read() as connection:
        found = sends.latest(connection, limit)
        counted = books.of_sends(connection, [send.id for send in found])
    return tuple((send, counted[send.id]) for send in found)


def _retriable(connection: Connection, send: Send, counted: SendBooks) -> int:
    failed = counted.total[DeliveryState.FAILED]
    if not failed or send.state is not SendState.FINISHED:
        return 0
    all_ = decisions.Selection()
    return failed - decisions.count_suppressed(connection, send.id, DeliveryState.FAILED, all_)


def _rate(send: Send, counted: SendBooks, now: datetime) -> float | None:
    if send.started_at is None:
        return None
    seconds = ((send.finished_at or now) - send.started_at).total_seconds()
    return counted.total.ended / seconds if seconds > 0 else None


def _time_left(
    connection: Connection, send: Send, counted: SendBooks, rate: float | None, at: datetime
) -> timedelta | None:
    if send.state is not SendState.SENDING or not rate or not counted.total.open:
        return None
    lately = at - still.PATIENCE
    is_new = send.started_at is not None and send.started_at >= lately
    if not is_new and not still.has_moved(connection, send.id, lately):
        return None
    return timedelta(seconds=counted.total.open / rate)
