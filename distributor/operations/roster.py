"""Who is alive, and what stands still because somebody is not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from distributor.engine import broker, heartbeat, ticks
from distributor.engine.heartbeat import SCHEDULER, worker_role
from distributor.engine.hints import CONTROL_QUEUE
from distributor.ledger.books import SendBooks
from distributor.ledger.states import SendState
from distributor.settings import Settings

if TYPE_CHECKING:
    from redis import Redis

_CONTROL = worker_role(CONTROL_QUEUE)
_WAITS_FOR_SOMEBODY = (SendState.SCHEDULED, SendState.PREPARING, SendState.SENDING)
#: A sweep is late after so many seconds, and as many times its period: it may itself take some.
_LATE_SWEEP_SECONDS = 30.0
_LATE_SWEEPS = 3
#: As much as clocks may differ before somebody should know, in seconds.
_CLOCK_TOLERANCE_SECONDS = 2.0
_EVERYTHING = "(or everything with: distributor up)"


@dataclass(frozen=True, slots=True)
class Roster:
    """The roles that are played, as Redis knows them."""

    #: Without it, nobody is seen and no worker gets a task.
    redis_answers: bool
    #: By role, its processes as `host:pid`.
    processes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: By process, how many seconds its clock is ahead of Redis's.
    seconds_ahead: Mapping[str, float] = field(default_factory=dict)
    #: Since the last sweep ended; None when Redis knows of none.
    seconds_since_sweep: float | None = None
    #: It is long ago, for how often it should run.
    sweep_is_late: bool = False

    @property
    def wrong_clocks(self) -> Mapping[str, float]:
        """By host, how many seconds its clock is ahead, where that is too many."""
        return {
            process.rpartition(":")[0]: ahead
            for process, ahead in sorted(self.seconds_ahead.items())
            if abs(ahead) > _CLOCK_TOLERANCE_SECONDS
        }


def look(settings: Settings, patience: float = 5) -> Roster:
    """Who is alive now; Redis counts as away when it has not answered for `patience` seconds."""
    from redis import RedisError

    try:
        with broker.client(settings, patience) as client:
            return read(client, settings)
    except RedisError:
        return Roster(False)


def read(client: Redis, settings: Settings) -> Roster:
    """Who is alive now. Raises `RedisError`."""
    since = ticks.seconds_since_sweep(client)
    late_after = max(_LATE_SWEEP_SECONDS, _LATE_SWEEPS * settings.sending.sweep_seconds)
    return Roster(
        redis_answers=True,
        processes=heartbeat.alive(client),
        seconds_ahead=heartbeat.seconds_ahead(client),
        seconds_since_sweep=since,
        sweep_is_late=since is not None and since > late_after,
    )


def at_work(roster: Roster) -> str:
    """Who gives signs of life, by the roles that `doctor` and the metrics name."""
    if not roster.redis_answers:
        return "No program is seen at work: Redis does not answer."
    numbers = {role: len(alive) for role, alive in roster.processes.items() if alive}
    if not numbers:
        return "No program is at work."
    told = (f"{role} ({n})" if n > 1 else role for role, n in sorted(numbers.items()))
    return f"At work: {', '.join(told)}."


def needs_workers(state: SendState) -> bool:
    """Whether a send in this state goes on only if somebody is alive."""
    return state in _WAITS_FOR_SOMEBODY


def open_channels(books: SendBooks) -> tuple[str, ...]:
    """Channels on which a send has something left to do."""
    return tuple(name for name, counted in books.channels.items() if counted.open)


def why_idle(roster: Roster, state: SendState, channels: Collection[str]) -> tuple[str, ...]:
    """What nobody does for a send in `state` with work left on `channels`, and what to do.

    Empty when everybody it takes is alive, or it waits for nobody.
    """
    if not needs_workers(state):
        return ()
    if not roster.redis_answers:
        return (
            "Nobody is seen to work on it: Redis does not answer. "
            "Start everything with: distributor up, or see: distributor doctor",
        )
    idle = [name for name in channels if worker_role(name) not in roster.processes]
    return tuple(
        sentence
        for is_missing, sentence in (
            (bool(idle), _without_workers(idle)),
            (_CONTROL not in roster.processes, _WITHOUT_CONTROL),
            (SCHEDULER not in roster.processes, _WITHOUT_SCHEDULER),
            (sweeps_in_vain(roster), late_sweep(roster)),
        )
        if is_missing
    )


def sweeps_in_vain(roster: Roster) -> bool:
    """Whether no sweep comes to its end although everybody that it takes is alive."""
    return roster.sweep_is_late and {_CONTROL, SCHEDULER} <= roster.processes.keys()


def late_sweep(roster: Roster) -> str:
    """What it means that the last sweep is long ago, and what to do."""
    return (
        "What waits is not taken up again: the last sweep over the ledger ended "
        f"{roster.seconds_since_sweep or 0:.0f} seconds ago, although the scheduler and a worker "
        f"for {CONTROL_QUEUE} are alive. See what they log, and whether the ledger answers: "
        "distributor doctor"
    )


_WITHOUT_CONTROL = (
    "No control worker is running, so nothing is planned or requeued: start a worker with: "
    f"distributor worker --channel {CONTROL_QUEUE} {_EVERYTHING}"
)
_WITHOUT_SCHEDULER = (
    "The scheduler is not running, so postponed deliveries are not picked up: start it with: "
    f"distributor scheduler {_EVERYTHING}"
)


def _without_workers(idle: Sequence[str]) -> str:
    options = " ".join(f"--channel {name}" for name in idle)
    return (
        f"Nobody works on {' and '.join(idle)}: start a worker with: "
        f"distributor worker {options} {_EVERYTHING}"
    )
