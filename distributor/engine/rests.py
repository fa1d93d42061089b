"""What stands in a run's way: its account's circuit breaker, and stops of some addresses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from channels.base import Connection, Outcome
from distributor.engine import together
from distributor.engine.breaker import CircuitBreaker
from distributor.engine.context import Context
from distributor.engine.stops import Stops
from distributor.engine.together import InProgress
from distributor.ledger import rests
from distributor.ledger.batches import Claim
from distributor.ledger.deliveries import Pending


class Rests:
    """One run's view of what rests on its account, and what it is to try again itself."""

    def __init__(self, context: Context, claim: Claim) -> None:
        """Nothing is read yet: `look` does."""
        self._account = claim.account
        self._breaker = CircuitBreaker(context, claim)
        self._stops = Stops(context, claim)

    @property
    def lets_account_through(self) -> bool:
        """Whether any message of the account may leave this run."""
        return self._breaker.lets_through

    @property
    def is_probing(self) -> bool:
        """Whether the whole account waits for the next message of this run."""
        return self._breaker.is_probing

    def open_until(self) -> datetime | None:
        """Until when nothing of the account may be tried; None when it may, or a probe may."""
        return self._breaker.open_until()

    def look(self, connection: sa.Connection) -> None:
        """Take in what other workers have found out: one short read, unless something rests."""
        found = rests.of_account(connection, self._account)
        self._breaker.see(found.breaker)
        self._stops.see(found.stops)

    def sift(
        self, connection: sa.Connection, due: Sequence[Pending], platform: Connection, at: datetime
    ) -> list[Pending]:
        """Those of `due` that may leave over `platform` now; nobody else's attempts are spent.

        While the account rests that is nobody, and when its rest is over it is one message, if
        none of another worker is on its way.
        """
        self.look(connection)
        if not due:
            return []
        self._breaker.claim_probe(connection)
        if not self._breaker.lets_through:
            return []
        if not self._breaker.is_probing:
            return self._stops.sift(connection, due, at)
        for probe in together.probes(due, platform):
            if wanted := self._stops.sift(connection, probe, at):
                return wanted
        return []

    def may_leave(self, delivery: Pending) -> bool:
        """Whether nothing stops its address; `sift` has seen to the rest."""
        return self._stops.may_leave(delivery)

    def learn(self, tried: InProgress, outcome: Outcome) -> bool:
        """Take in an answer; returns whether addresses that waited are due again."""
        self._breaker.learn(outcome, attempt=tried.attempt)
        return self._stops.learn(tried.delivery.address, outcome)

    def hand_back(self, connection: sa.Connection) -> datetime | None:
        """Give back unused probes; returns when the account's rest ends, or None.

        What others postpone or let rest in this transaction is woken by whoever ends the rest.
        """
        until = self._breaker.hand_back(connection)
        self._stops.hand_back(connection)
        return until
