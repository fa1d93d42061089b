"""Signs of life: which roles are being played by a running process, kept in Redis."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
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
    """Says every two seconds that this process plays `roles`, until stopped or killed."""

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
                for key in self._keys:
                    self._client.set(key, "1", ex=_LIFE_SECONDS)
            except RedisError as error:
                _log.debug("heartbeat skipped: %s", error)
            if self._stopping.wait(_BEAT_SECONDS):
                return


def alive(client: Redis) -> dict[str, list[str]]:
    """Roles that are being played, each with its processes as `host:pid`."""
    found: dict[str, list[str]] = {}
    for key in client.scan_iter(match=f"{_PREFIX}*", count=1000):
        role, _, process = key.decode().removeprefix(_PREFIX).rpartition(":")
        role, _, host = role.rpartition(":")
        found.setdefault(role, []).append(f"{host}:{process}")
    return {role: sorted(processes) for role, processes in sorted(found.items())}
