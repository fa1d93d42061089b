"""The circuit breaker of an account: stops trying what cannot succeed, and probes by itself."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy.engine import Connection

from channels.base import Fault, Outcome, Verdict
from distributor.engine.context import Context
from distributor.ledger import breakers
from distributor.ledger.batches import Claim
from distributor.ledger.breakers import Breaker

_log = logging.getLogger(__name__)

#: So many failures of the platform one right after the other, in one lane, open the breaker. Those
#: of one destination count once, and only those of first tries.
_FAILURES_IN_A_ROW = 5


class CircuitBreaker:
    """One run's view of its account's breaker. Recipients' faults never count."""

    def __init__(self, context: Context, claim: Claim) -> None:
        self._context = context
        self._account = claim.account
        self._about = {"channel": claim.channel, "account": claim.account}
        #: Since anything got through: the platform's own failures, and who is at the other end of
        #: its refusals for now of first tries.
        self._failures = 0
        self._destinations: set[str | None] = set()
        #: As it was seen last; None when it is closed.
        self._breaker: Breaker | None = None
        #: Until when this run may probe; None when it may not, or has.
        self._probe: datetime | None = None

    @property
    def lets_through(self) -> bool:
        """Whether a message may leave: the breaker is closed, or the message is the probe."""
        return self._breaker is None or self.is_probing

    @property
    def is_probing(self) -> bool:
        """Whether the next message to leave is the probe."""
        return self._probe is not None

    def open_until(self) -> datetime | None:
        """Until when nothing may be tried; None when it is closed, or it is time for a probe."""
        if self.lets_through or self._breaker is None:
            return None
        until = self._breaker.open_until
        return until if until > self._context.now() else None

    def see(self, breaker: Breaker | None) -> None:
        """Take in how the breaker is now."""
        if breaker is None or breaker.open_until != self._probe:
            self._probe = None  # the time for it was over, and another one has decided
        self._breaker = breaker

    def claim_probe(self, connection: Connection) -> None:
        """See to it that this run is the one that probes, if one has to and none does."""
        at = self._context.now()
        if self._breaker is None or self._breaker.open_until > at:
            return
        probe = breakers.claim_probe(connection, self._account, at)
        self._breaker = breakers.find(connection, self._account)
        self._probe = probe

    def learn(self, outcome: Outcome, *, attempt: int) -> None:
        """Take in an answer: it may open the breaker, or close it again.

        `attempt` is the number of the try at this part that was answered so, from 1.
        """
        probe, self._probe = self._probe, None
        if _says_nothing_about_account(outcome, attempt):
            # The platform is there.
            if probe is not None:
                self._close()
            return
        in_a_row = self._count(outcome)
        cannot_send = outcome.fault is Fault.ACCOUNT and outcome.verdict is Verdict.RETRYING
        probe_failed = probe is not None and self._is_no_better(outcome)
        if cannot_send or probe_failed or in_a_row >= _FAILURES_IN_A_ROW:
            self._open(outcome, probe)
        elif probe is not None:
            self._close()

    def hand_back(self, connection: Connection) -> datetime | None:
        """Let another one probe if this run did not; returns until when the account rests now.

        It stays so while the transaction lasts: whoever closes the breaker waits for it, and then
        wakes everything that rests.
        """
        at = self._context.now()
        if self._probe is not None:
            breakers.give_back_probe(connection, self._account, self._probe, at)
        if self._breaker is None:
            return None
        found = breakers.find_locked(connection, self._account)
        return None if found is None or found.open_until <= at else found.open_until

    def _count(self, outcome: Outcome) -> int:
        """Take in how an attempt ended; returns how many failed in a row by now."""
        if outcome.fault is Fault.PROVIDER:
            self._failures += 1
        elif outcome.fault is Fault.DESTINATION:
            self._destinations.add(outcome.destination)
        else:
            self._failures = 0
            self._destinations.clear()
        return self._failures + len(self._destinations)

    def _is_no_better(self, outcome: Outcome) -> bool:
        """Whether the probe met what keeps the account from sending.

        A platform that refuses one destination works; unless it is this very refusal, of one
        destination after the other, that opened the breaker.
        """
        if outcome.fault is Fault.DESTINATION:
            return self._breaker is not None and outcome.code == self._breaker.code
        return outcome.fault is Fault.PROVIDER

    def _open(self, outcome: Outcome, probe: datetime | None) -> None:
        with self._context.ledger.write() as connection:
            self._breaker = breakers.open_(
                connection,
                self._account,
                code=outcome.code,
                reply=outcome.reply,
                at=self._context.now(),
                probe=probe,
            )
        words = (self._account, self._breaker.open_until, outcome.code)
        _log.warning("account %s is paused until %s: %s", *words, extra=self._about)

    def _close(self) -> None:
        with self._context.ledger.write() as connection:
            closed = breakers.close(connection, self._account, self._context.now())
        self._breaker = None
        if closed:
            _log.warning("account %s sends again", self._account, extra=self._about)


def _says_nothing_about_account(outcome: Outcome, attempt: int) -> bool:
    """Whether an answer that refuses for now is no reason for the whole account to rest."""
    if outcome.fault is Fault.DESTINATION:
        # Retries are of those alone who were refused before: with no acceptance between them, they
        # would look like a platform that refuses everybody.
        return attempt > 1
    # The account's limits know what the platform asked for.
    return outcome.fault is Fault.PROVIDER and bool(outcome.retry_after)
