"""Signs of life: which roles are being played by a running process, kept in Redis.

With each goes how far the process's clock is ahead of that of Redis, the one clock that all share.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from distributor.engine import identity

if TYPE_CHECKING:
    from redis import Redis

_log = logging.getLogger(__name__)

_PREFIX = "distributor:alive:"
_BEAT_SECONDS = 2.0
_LIFE_SECONDS = 7

SCHEDULER = "scheduler"
WATCHER = "watch"


def worker_role(queue: str) -> str:
    """The role of a worker that takes tasks from `queue`."""
    return f"worker:{queue}"


def bot_role(account: str) -> str:
    """The role of the bot that people write to on `account`."""
    return f"bot:{account}"


class Heartbeat:
    """Says every two seconds that this process plays `roles`, until stopped or killed.

    And by how many seconds its clock is ahead of Redis's.
    """

    def __init__(self, client: Redis, roles: Sequence[str]) -> None:
        self._client = client
        name = identity.short(identity.of_this_process())
        self._keys = [f"{_PREFIX}{role}:{name}" for role in roles]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        from redis import RedisError

        self._stopping.set()
        self._thread.join()
        try:
            self._client.delete(*self._keys)
        except RedisError as error:
            _log.debug("heartbeat not taken back: %s", error)

    def _run(self) -> None:
        from redis import RedisError

        while True:
            try:
                ahead = f"{_seconds_ahead(self._client):.3f}"
                for key in self._keys:
                    self._client.set(key, ahead, ex=_LIFE_SECONDS)
            except RedisError as error:
                _log.debug("heartbeat skipped: %s", error)
            if self._stopping.wait(_BEAT_SECONDS):
                return


def alive(client: Redis) -> dict[str, list[str]]:
    """Roles that are being played, each with its processes as `host:pid`."""
    found: dict[str, list[str]] = {}
    for key in _keys(client):
        role, process = _role_and_process(key)
        found.setdefault(role, []).append(process)
    return {role: sorted(processes) for role, processes in sorted(found.items())}


def seconds_ahead(client: Redis) -> Mapping[str, float]:
    """By how much the clocks of those alive, `host:pid`, are ahead of Redis's; negative: behind."""
    keys = list(_keys(client))
    said = client.mget(keys) if keys else []
    return {
        _role_and_process(key)[1]: float(ahead)
        for key, ahead in zip(keys, said, strict=True)
        if ahead is not None
    }


def _seconds_ahead(client: Redis) -> float:
    """To within half the time that the answer took."""
    before = time.time()
    seconds, microseconds = client.time()
    after = time.time()
    return (before + after) / 2 - (float(seconds) + float(microseconds) / 1e6)


def _keys(client: Redis) -> Iterator[bytes]:
    yield from client.scan_iter(match=f"{_PREFIX}*", count=1000)


def _role_and_process(key: bytes) -> tuple[str, str]:
    role, _, pid = key.decode().removeprefix(_PREFIX).rpartition(":")
    role, _, host = role.rpartition(":")
    return role, f"{host}:{pid}"
