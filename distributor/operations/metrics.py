"""What is measured from outside: sends, deliveries, queues, accounts, processes.

No label holds an address or a platform's words: accounts, channels, states and codes only.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from distributor.engine import broker, counters
from distributor.engine.context import utc_now
from distributor.engine.heartbeat import SCHEDULER, worker_role
from distributor.engine.hints import CONTROL_QUEUE
from distributor.ledger import breakers, gauges, standstills, stops
from distributor.ledger.breakers import Breaker
from distributor.ledger.database import Ledger, LedgerUnavailable
from distributor.ledger.gauges import Count, Queue
from distributor.ledger.standstills import Standstill
from distributor.ledger.states import OPEN_STATES, DeliveryState, SendState
from distributor.ledger.stops import Stop
from distributor.operations import exposition
from distributor.operations.exposition import Family, Kind, Sample
from distributor.operations.roster import Roster, read, why_idle
from distributor.settings import Settings

#: Sends whose deadline passed longer ago while they were paused are forgotten, and not counted.
_RECENT = timedelta(days=7)
#: Scrapes within this time get the same answer, so that they cannot load the ledger.
_FRESH_SECONDS = 5.0
_REDIS_PATIENCE_SECONDS = 1.0
#: Less than Prometheus waits for an answer, which is 10 seconds unless it is told otherwise.
_LEDGER_PATIENCE_SECONDS = 4.0


class Metrics:
    """Answers scrapes, from any number of threads."""

    def __init__(
        self, settings: Settings, ledger: Ledger, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._now = now
        self._lock = threading.Lock()
        self._text = ""
        self._measured_at = float("-inf")

    def text(self) -> str:
        """Everything, not older than five seconds."""
        with self._lock:
            if time.monotonic() - self._measured_at > _FRESH_SECONDS:
                self._text = exposition.text(self.measure())
                self._measured_at = time.monotonic()
            return self._text

    def measure(self) -> Iterator[Family]:
        """Everything, now. What cannot be asked is left out, and said to be down."""
        figures = self._from_ledger()
        yield _gauge("ledger_up", "Whether the ledger can be used.", figures is not None)
        roster, counted = self._from_redis()
        yield _gauge("redis_up", "Whether Redis answers.", roster.redis_answers)
        if figures is not None:
            yield from _of_ledger(figures, self._settings)
        if roster.redis_answers:
            yield from _of_processes(roster, self._settings)
            yield from _of_counters(counted)
        if figures is not None and roster.redis_answers:
            yield _idle_sends(figures, roster)

    def _from_ledger(self) -> _Figures | None:
        at = self._now()
        try:
            with self._ledger.patience(_LEDGER_PATIENCE_SECONDS), self._ledger.read() as connection:
                under_way = gauges.under_way(connection, at - _RECENT)
                sending = [one for one, state in under_way.items() if state is SendState.SENDING]
                return _Figures(
                    at=at,
                    sends=gauges.sends_by_state(connection),
                    under_way=under_way,
                    deliveries=gauges.deliveries_of(connection, under_way.keys()),
                    queues=gauges.queues(connection, sending, at),
                    breakers=breakers.all_open(connection),
                    stops=stops.all_(connection),
                    standstills=standstills.all_(connection, at),
                )
        except (LedgerUnavailable, SQLAlchemyError):
            return None

    def _from_redis(self) -> tuple[Roster, Mapping[str, Mapping[tuple[str, ...], int]]]:
        from redis import RedisError

        try:
            with broker.client(self._settings, _REDIS_PATIENCE_SECONDS) as client:
                return read(client, self._settings), {
                    name: counters.read(client, name) for name in counters.ALL
                }
        except RedisError:
            return Roster(False), {}


@dataclass(frozen=True, slots=True)
class _Figures:
    """What the ledger says at one moment."""

    at: datetime
    sends: Mapping[SendState, int]
    under_way: Mapping[int, SendState]
    deliveries: tuple[Count, ...]
    queues: Mapping[str, Queue]
    breakers: tuple[Breaker, ...]
    stops: tuple[Stop, ...]
    standstills: tuple[Standstill, ...]


def _of_ledger(figures: _Figures, settings: Settings) -> Iterator[Family]:
    yield _gauges(
        "sends",
        "Sends by state.",
        (Sample(figures.sends.get(state, 0), {"state": state}) for state in SendState),
    )
    yield _gauges(
        "deliveries",
        "Deliveries of sends that are under way, by channel, account and state.",
        _by_account(figures.deliveries),
    )
    yield from _of_queues(figures, settings)
    rests = {breaker.account: breaker for breaker in figures.breakers}
    yield _gauges(
        "breaker_open",
        "1 while an account is paused because it cannot send.",
        (Sample(name in rests, {"account": name}) for name in settings.accounts),
    )
    yield _gauges(
        "breaker_reason",
        "1 for the code with which an account's breaker opened.",
        (Sample(1, {"account": name, "code": one.code}) for name, one in rests.items()),
    )
    stopped = Counter((stop.account, stop.code) for stop in figures.stops)
    yield _gauges(
        "stops",
        "Mail domains that are paused because they refuse an account for its own fault, by code.",
        (
            Sample(number, {"account": name, "code": code})
            for (name, code), number in stopped.items()
        ),
    )


def _by_account(counts: Iterable[Count]) -> Iterator[Sample]:
    """Every state of each account that occurs, zeros included, so that no series ends early."""
    total: Counter[tuple[str, str, DeliveryState]] = Counter()
    for one in counts:
        total[one.channel, one.account, one.state] += one.number
    for channel, account in sorted({(channel, account) for channel, account, _ in total}):
        for state in DeliveryState:
            labels = {"channel": channel, "account": account, "state": state.value}
            yield Sample(total[channel, account, state], labels)


def _of_queues(figures: _Figures, settings: Settings) -> Iterator[Family]:
    none = Queue(0, None, 0)
    queues = {name: figures.queues.get(name, none) for name in _channels(settings, figures.queues)}
    yield _gauges(
        "queue_age_seconds",
        "How long the oldest due batch has been waiting for a worker.",
        (
            Sample(_age(queue.oldest_due_at, figures.at), {"channel": name})
            for name, queue in queues.items()
        ),
    )
    yield _gauges(
        "batches_due",
        "Batches that are due and held by no worker.",
        (Sample(queue.due, {"channel": name}) for name, queue in queues.items()),
    )
    yield _gauges(
        "leases_held",
        "Batches that a worker holds.",
        (Sample(queue.leased, {"channel": name}) for name, queue in queues.items()),
    )


def _of_processes(roster: Roster, settings: Settings) -> Iterator[Family]:
    wanted = [worker_role(name) for name in (CONTROL_QUEUE, *_channels(settings))]
    roles = sorted({*wanted, SCHEDULER, *roster.processes})
    yield _gauges(
        "processes_alive",
        "Live processes by role.",
        (Sample(len(roster.processes.get(role, ())), {"role": role}) for role in roles),
    )
    if roster.seconds_since_sweep is not None:
        yield _gauge("sweep_age_seconds", "Since the last sweep ended.", roster.seconds_since_sweep)
    yield _gauge(
        "clock_difference_seconds",
        "How far the worst clock of a worker or scheduler is from that of Redis.",
        max(map(abs, roster.seconds_ahead.values()), default=0.0),
    )


def _of_counters(counted: Mapping[str, Mapping[tuple[str, ...], int]]) -> Iterator[Family]:
    for name, labels, help_text in (
        (
            counters.ATTEMPTS,
            ("channel", "outcome", "code"),
            "Attempts to send a message, by outcome and by class of the reply code.",
        ),
        (
            counters.LEASES_LOST,
            ("channel",),
            "Batches taken over from a worker that did not give them back.",
        ),
        (
            counters.RATE_WAITS,
            ("account", "scope"),
            "Messages postponed by a rate limit, of the whole account or of one recipient.",
        ),
    ):
        samples = (
            Sample(number, dict(zip(labels, values, strict=True)))
            for values, number in counted[name].items()
        )
        yield Family(f"distributor_{name}_total", Kind.COUNTER, help_text, tuple(samples))


def _idle_sends(figures: _Figures, roster: Roster) -> Family:
    open_channels: dict[int, set[str]] = {}
    for one in figures.deliveries:
        if one.state in OPEN_STATES:
            open_channels.setdefault(one.send_id, set()).add(one.channel)
    idle = {
        send_id
        for send_id, state in figures.under_way.items()
        if why_idle(roster, state, open_channels.get(send_id, ()))
    }
    idle.update(one.send_id for one in figures.standstills)
    return _gauge("sends_idle", "Sends that nobody works on although it is time.", len(idle))


def _channels(settings: Settings, others: Iterable[str] = ()) -> list[str]:
    return sorted({account.channel for account in settings.accounts.values()} | set(others))


def _age(since: datetime | None, at: datetime) -> float:
    return max(0.0, (at - since).total_seconds()) if since else 0.0


def _gauge(name: str, help_text: str, value: float) -> Family:
    return _gauges(name, help_text, [Sample(value, {})])


def _gauges(name: str, help_text: str, samples: Iterable[Sample]) -> Family:
    return Family(f"distributor_{name}", Kind.GAUGE, help_text, tuple(samples))
