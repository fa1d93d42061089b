"""Ticks: how often the scheduler's tasks run, and when the last sweep ended, kept in Redis.

Times are those of Redis, so that no machine's clock decides. A tick does not expire: that would be
judged by the clock of whoever takes it up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis import Redis

_BEGUN = "distributor:begun:"
_LAST_SWEEP = "distributor:last-sweep"
#: The share of the time between two ticks within which a second one is left out; not all of it,
#: since a tick that comes a moment early is not one too many.
_SHARE = 0.75


def may_begin(client: Redis, task: str, every_seconds: float) -> bool:
    """Whether a task that should run so often has not just begun somewhere; if so, it has now.

    Ticks that piled up while nobody took them cost next to nothing that way. Without Redis, it may.
    """
    from redis import RedisError

    try:
        pause = max(1, round(every_seconds * _SHARE * 1000))
        return bool(client.set(_BEGUN + task, "1", nx=True, px=pause))
    except RedisError:
        return True


def sweep_ended(client: Redis) -> None:
    """Remember that a sweep came to its end just now; forgotten when Redis is away."""
    from redis import RedisError

    try:
        client.set(_LAST_SWEEP, repr(_time(client)))
    except RedisError:
        return


def seconds_since_sweep(client: Redis) -> float | None:
    """How long ago the last sweep ended; None when Redis knows of none. Raises `RedisError`."""
    ended = client.get(_LAST_SWEEP)
    return max(0.0, _time(client) - float(ended)) if isinstance(ended, bytes) else None


def _time(client: Redis) -> float:
    seconds, microseconds = client.time()
    return float(seconds) + float(microseconds) / 1e6
