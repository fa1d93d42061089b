"""The stops of an account as one round of a courier sees them."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.engine import Connection

from channels.base import Account, Outcome, Verdict
from distributor.engine.context import Context
from distributor.ledger import deliveries, stops
from distributor.ledger.deliveries import Pending
from distributor.ledger.stops import Stop

_log = logging.getLogger(__name__)


class Stops:
    """Who waits on an account, and until when."""

    def __init__(self, context: Context, account: Account) -> None:
        self._context = context
        self._account = account
        self._stops: Mapping[str, Stop] = {}

    def sift(self, connection: Connection, due: Sequence[Pending], at: datetime) -> list[Pending]:
        """Those of `due` that may be tried now, after all that other workers have found out.

        Those who have to wait are put off in the ledger, without an attempt being spent.
        """
        found = stops.of_account(connection, self._account.name)
        self._stops = {stop.ending: stop for stop in found}
        wanted: list[Pending] = []
        waiting: dict[datetime, list[int]] = defaultdict(list)
        for delivery in due:
            if delivery.skip is not None:
                continue
            if (until := self.wait_until(delivery.address)) is not None:
                waiting[until].append(delivery.id)
            else:
                wanted.append(delivery)
        for until, ids in waiting.items():
            deliveries.postpone(connection, ids, until, at)
        return wanted

    def wait_until(self, address: str) -> datetime | None:
        """Until when nothing may go to `address`; None when it may be tried."""
        stop = self._of(address)
        if stop is None or stop.open_until <= self._context.now():
            return None
        return stop.open_until

    def learn(self, address: str, outcome: Outcome) -> None:
        """Take in an answer: it may stop the addresses like this one, or let them go on."""
        if outcome.stops is not None:
            self._open(outcome.stops, outcome)
        elif outcome.verdict is Verdict.SENT and (stop := self._of(address)) is not None:
            self._lift(stop.ending)

    def _of(self, address: str) -> Stop | None:
        fitting = (stop for ending, stop in self._stops.items() if address.endswith(ending))
        return next(fitting, None)

    def _open(self, ending: str, outcome: Outcome) -> None:
        name = self._account.name
        with self._context.ledger.write() as connection:
            stop = stops.open_(
                connection,
                name,
                ending,
                code=outcome.code,
                reply=outcome.reply,
                at=self._context.now(),
            )
        self._stops = {**self._stops, ending: stop}
        about = {"channel": self._account.channel, "account": name}
        words = (ending, name, stop.open_until, outcome.code)
        _log.warning("mail to %s waits on account %s until %s: %s", *words, extra=about)

    def _lift(self, ending: str) -> None:
        with self._context.ledger.write() as connection:
            lifted = stops.lift(connection, self._account.name, ending)
        self._stops = {name: stop for name, stop in self._stops.items() if name != ending}
        if lifted:
            about = {"channel": self._account.channel, "account": self._account.name}
            _log.warning("mail to %s is taken again", ending, extra=about)
