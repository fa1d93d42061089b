"""The circuit breaker of an account: stops trying what cannot succeed, and probes by itself."""

from __future__ import annotations

import logging
from datetime import datetime

from channels.base import Account, Fault, Outcome, Verdict
from distributor.engine.context import Context
from distributor.ledger import breakers

_log = logging.getLogger(__name__)

#: So many failures of the platform one right after the other, in one lane, open the breaker.
_FAILURES_IN_A_ROW = 5


class CircuitBreaker:
    """One round's view of its account's breaker. Recipients' faults never count."""

    def __init__(self, context: Context, account: Account) -> None:
        self._context = context
        self._account = account
        self._failures = 0
        with context.ledger.read() as connection:
            self._breaker = breakers.find(connection, account.name)

    def open_until(self) -> datetime | None:
        """Until when nothing may be tried; None when it is closed, or the next try is the probe."""
        if self._breaker is None or self._breaker.open_until <= self._context.now():
            return None
        return self._breaker.open_until

    def learn(self, outcome: Outcome) -> datetime | None:
        """Take in an answer; returns until when nothing may be tried if it opens the breaker."""
        if outcome.fault is Fault.ACCOUNT and outcome.verdict is Verdict.RETRYING:
            return self._open(outcome)
        if outcome.fault is not Fault.PROVIDER:
            self._failures = 0
            self._close()
            return None
        self._failures += 1
        is_probe = self._breaker is not None
        return self._open(outcome) if is_probe or self._failures >= _FAILURES_IN_A_ROW else None

    def _open(self, outcome: Outcome) -> datetime:
        name = self._account.name
        with self._context.ledger.write() as connection:
            until = breakers.open_(
                connection, name, code=outcome.code, reply=outcome.reply, at=self._context.now()
            )
        about = {"channel": self._account.channel, "account": name}
        _log.warning("account %s rests until %s: %s", name, until, outcome.code, extra=about)
        return until

    def _close(self) -> None:
        if self._breaker is None:
            return
        with self._context.ledger.write() as connection:
            if breakers.close(connection, self._account.name):
                about = {"channel": self._account.channel, "account": self._account.name}
                _log.warning("account %s sends again", self._account.name, extra=about)
        self._breaker = None
