"""Watching a send: how far it is, and how long it takes to recover from each blow."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError

from distributor.drill.chaos import Struck
from distributor.engine.context import Context
from distributor.ledger import batches, books, breakers, sends
from distributor.ledger.books import Books, SendBooks
from distributor.ledger.database import LedgerUnavailable
from distributor.ledger.states import OPEN_STATES, SendState


@dataclass(frozen=True, slots=True)
class Sight:
    """What the ledger says at one moment."""

    state: SendState
    books: SendBooks
    #: Who holds batches.
    holders: frozenset[str]

    @property
    def is_over(self) -> bool:
        return self.state in (SendState.FINISHED, SendState.CANCELED, SendState.HELD)

    @property
    def share(self) -> float:
        total = self.books.total
        return total.ended / total.intended if total.intended else 0.0

    def ended(self, channel: str | None) -> int:
        return self._of(channel).ended

    def is_done(self, channel: str | None) -> bool:
        return self.is_over or (self._of(channel).ended > 0 and self._of(channel).open == 0)

    def holds(self, pid: int) -> bool:
        """Whether a process with this id holds a batch."""
        return any(holder.split("/")[-2] == str(pid) for holder in self.holders)

    def _of(self, channel: str | None) -> Books:
        if channel is None or channel not in self.books.channels:
            return self.books.total
        return self.books.channels[channel]


@dataclass(slots=True)
class Recovery:
    """A blow and what came after it."""

    struck: Struck
    is_kill: bool
    #: Seconds after the send's start.
    at: float
    share: float
    ended_before: int
    #: Until deliveries end again and nothing is left in dead hands; None while that is not so.
    seconds: float | None = None
    #: Nothing was left to deliver.
    idle: bool = False

    @property
    def is_settled(self) -> bool:
        return self.idle or self.seconds is not None

    def look(self, sight: Sight, now: float) -> None:
        """Take in what the ledger says now."""
        channel, pid = self.struck.channel, self.struck.pid
        if self.is_settled or (pid is not None and sight.holds(pid)):
            return
        if sight.ended(channel) > self.ended_before:
            self.seconds = now - self.at
        elif sight.is_done(channel):
            self.idle = True


@dataclass(slots=True)
class Watch:
    context: Context
    send_id: int
    began: float = field(default_factory=time.monotonic)
    recoveries: list[Recovery] = field(default_factory=list)
    _moved: float = field(default_factory=time.monotonic)
    _most: int = -1

    @property
    def now(self) -> float:
        """Seconds since the send's start."""
        return time.monotonic() - self.began

    @property
    def still_for(self) -> float:
        """Seconds since a delivery ended."""
        return time.monotonic() - self._moved

    def look(self) -> Sight | None:
        """How the send stands; None while the ledger does not answer."""
        try:
            sight = self._sight()
        except (DBAPIError, LedgerUnavailable):
            return None
        if (ended := sight.ended(None)) > self._most:
            self._most, self._moved = ended, time.monotonic()
        for recovery in self.recoveries:
            recovery.look(sight, self.now)
        return sight

    def remember(self, struck: Struck, *, is_kill: bool, at: float, before: Sight) -> None:
        """Wait from now on for the recovery from a blow that fell at `at`."""
        ended = before.ended(struck.channel)
        self.recoveries.append(Recovery(struck, is_kill, at, before.share, ended))

    def what_is_stuck(self) -> str:
        """For a person: what is open, and who should work on it."""
        sight = self.look()
        if sight is None:
            return "the ledger does not answer"
        waiting = [
            f"{counted[state]} {channel} {state.value}"
            for channel, counted in sight.books.channels.items()
            for state in OPEN_STATES
            if counted[state]
        ]
        with self.context.ledger.read() as connection:
            paused = [f"{one.account} ({one.code})" for one in breakers.all_open(connection)]
        words = f"the send is {sight.state.value}; open: {', '.join(waiting) or 'nothing'}"
        return f"{words}; paused accounts: {', '.join(paused) or 'none'}"

    def _sight(self) -> Sight:
        with self.context.ledger.read() as connection:
            send = sends.find(connection, self.send_id)
            counted = books.of_send(connection, self.send_id)
            holders = frozenset(lease.holder for lease in batches.held(connection))
        if send is None:
            raise LedgerUnavailable("the send is not in the ledger any more")
        return Sight(send.state, counted, holders)
