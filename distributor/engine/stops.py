"""The stops of an account as one run of a courier sees them."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.engine import Connection

from channels.base import Outcome, Verdict
from distributor.engine.context import Context
from distributor.ledger import deliveries, stops
from distributor.ledger.batches import Claim
from distributor.ledger.deliveries import Pending
from distributor.ledger.stops import Stop

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Probe:
    delivery_id: int
    #: Until when it is this run that tries the stop again.
    until: datetime


class Stops:
    """Who waits on an account, and until when."""

    def __init__(self, context: Context, claim: Claim) -> None:
        self._context = context
        self._account = claim.account
        self._about = {"channel": claim.channel, "account": claim.account}
        #: As they were seen last, by ending.
        self._stops: Mapping[str, Stop] = {}
        #: Those that this run tries again, by ending.
        self._probes: dict[str, _Probe] = {}

    def see(self, found: Sequence[Stop]) -> None:
        """Take in how the stops are now."""
        self._stops = {stop.ending: stop for stop in found}

    def sift(self, connection: Connection, due: Sequence[Pending], at: datetime) -> list[Pending]:
        """Those of `due` that may be tried now, of the addresses of each stop one at most.

        That one comes first: all the others wait for what comes of it.
        Those who have to wait are put off in the ledger, without an attempt being spent.
        """
        if not self._stops:
            return list(due)
        to_probe = self._hold(connection, due, at)
        first: dict[str, Pending] = {}
        wanted: list[Pending] = []
        waiting: dict[datetime, list[int]] = defaultdict(list)
        for delivery in due:
            stop = self._of(delivery.address)
            if stop is None:
                wanted.append(delivery)
            elif stop.ending not in first and (
                self._has_probe(stop, at) or (to_probe and self._claim_probe(connection, stop, at))
            ):
                first[stop.ending] = delivery
            else:
                waiting[stop.open_until].append(delivery.id)
        for until, ids in waiting.items():
            deliveries.postpone(connection, ids, until, at)
        for ending, delivery in first.items():
            self._probes[ending] = _Probe(delivery.id, self._stops[ending].open_until)
        return [*first.values(), *wanted]

    def may_leave(self, delivery: Pending) -> bool:
        """Whether it may be tried: nothing stops it, or it is the one that tries again."""
        stop = self._of(delivery.address)
        if stop is None:
            return True
        is_probe = self._probes.get(stop.ending) == _Probe(delivery.id, stop.open_until)
        return is_probe and stop.open_until > self._context.now()

    def learn(self, address: str, outcome: Outcome) -> bool:
        """Take in an answer: it may stop the addresses like this one, or let them go on.

        Returns whether it let them go on.
        """
        stop = self._of(address)
        probe = self._probes.pop(stop.ending, None) if stop else None
        if outcome.stops is not None:
            self._open(outcome.stops, outcome, probe)
        elif outcome.verdict is Verdict.SENT and stop is not None and probe is not None:
            self._lift(stop.ending)
            return True
        return False

    def hand_back(self, connection: Connection) -> None:
        """Give back probes that this run claimed and did not use.

        Locks the stops until the transaction ends, so that whoever lifts one runs afterwards and
        wakes the deliveries that were postponed here.
        """
        if not self._stops:
            return
        at = self._context.now()
        stops.lock(connection, self._account, self._stops, to_probe=bool(self._probes))
        for ending, probe in sorted(self._probes.items()):
            stops.give_back_probe(connection, self._account, ending, probe.until, at)

    def _of(self, address: str) -> Stop | None:
        fitting = (stop for ending, stop in self._stops.items() if address.endswith(ending))
        return next(fitting, None)

    def _hold(self, connection: Connection, due: Sequence[Pending], at: datetime) -> bool:
        """See the stops of `due` as they are, and stay, while the transaction lasts.

        Returns whether one may be claimed to be tried again. One whose time came only while
        this waited may not: another worker may be holding it too.
        """
        fitting = {stop.ending for one in due if (stop := self._of(one.address)) is not None}
        if not fitting:
            return False
        to_probe = any(self._stops[ending].open_until <= at for ending in fitting)
        found = stops.lock(connection, self._account, fitting, to_probe=to_probe)
        others = {name: stop for name, stop in self._stops.items() if name not in fitting}
        self._stops = {**others, **{stop.ending: stop for stop in found}}
        return to_probe

    def _has_probe(self, stop: Stop, at: datetime) -> bool:
        """Whether it is this run that tries it again, and no message has left for that yet."""
        mine = self._probes.get(stop.ending)
        return mine is not None and mine.until == stop.open_until > at

    def _claim_probe(self, connection: Connection, stop: Stop, at: datetime) -> bool:
        until = stops.claim_probe(connection, self._account, stop.ending, at)
        if until is not None:
            self._stops = {**self._stops, stop.ending: replace(stop, open_until=until)}
        return until is not None

    def _open(self, ending: str, outcome: Outcome, probe: _Probe | None) -> None:
        with self._context.ledger.write() as connection:
            stop = stops.open_(
                connection,
                self._account,
                ending,
                code=outcome.code,
                reply=outcome.reply,
                at=self._context.now(),
                probe=None if probe is None else probe.until,
            )
        self._stops = {**self._stops, ending: stop}
        words = (ending, self._account, stop.open_until, outcome.code)
        _log.warning("mail to %s by account %s is paused until %s: %s", *words, extra=self._about)

    def _lift(self, ending: str) -> None:
        with self._context.ledger.write() as connection:
            lifted = stops.lift(connection, self._account, ending, self._context.now())
        self._stops = {name: stop for name, stop in self._stops.items() if name != ending}
        if lifted:
            _log.warning("mail to %s is taken again", ending, extra=self._about)
