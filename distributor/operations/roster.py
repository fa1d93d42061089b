"""Who is alive, and what stands still because somebody is not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from distributor.engine import broker, heartbeat
from distributor.engine.heartbeat import SCHEDULER, worker_role
from distributor.engine.hints import CONTROL_QUEUE
from distributor.ledger.books import SendBooks
from distributor.ledger.states import SendState
from distributor.settings import Settings

_CONTROL = worker_role(CONTROL_QUEUE)
_WAITS_FOR_SOMEBODY = (SendState.SCHEDULED, SendState.PREPARING, SendState.SENDING)
_EVERYTHING = "(or everything with: distributor up)"


@dataclass(frozen=True, slots=True)
class Roster:
    """The roles that are played, as Redis knows them."""

    #: Without it, nobody is seen and no worker gets a task.
    redis_answers: bool
    #: By role, its processes as `host:pid`.
    processes: Mapping[str, Sequence[str]] = field(default_factory=dict)


def look(settings: Settings, patience: float = 5) -> Roster:
    """Who is alive now; Redis counts as away when it has not answered for `patience` seconds."""
    from redis import RedisError

    try:
        with broker.client(settings, patience) as client:
            return Roster(True, heartbeat.alive(client))
    except RedisError:
        return Roster(False)


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
        )
        if is_missing
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
