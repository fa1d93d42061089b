"""Everything that one machine runs, as child processes: what `up` starts and keeps running."""

from __future__ import annotations

import fcntl
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import redis

from distributor.engine import broker, heartbeat
from distributor.engine.children import Program, Supervisor
from distributor.engine.embedded_redis import EmbeddedRedis
from distributor.engine.heartbeat import worker_role
from distributor.engine.hints import CONTROL_QUEUE
from distributor.operations.errors import OperationError
from distributor.settings import Settings

#: Not a queue or the scheduler, so not a role in Redis: seen by its port.
_SANDBOX = "sandbox"
_WEB = "web"


@dataclass(frozen=True, slots=True)
class _Role:
    name: str
    arguments: tuple[str, ...]


class Runtime:
    """Sees to it that every role is played on this machine, by whatever process.

    One runtime at a time holds the lock of the storage folder and starts what is missing;
    another one only watches, and takes over when the first is gone.
    """

    def __init__(self, settings: Settings, *, web: bool) -> None:
        self._settings = settings
        self._roles = _roles(settings, web=web)
        self._supervisor = Supervisor()
        self._redis = EmbeddedRedis(settings.var / "redis") if settings.is_embedded_redis else None
        self._lock: IO[str] | None = None

    def start(self) -> None:
        """Start Redis, when it is the embedded one, and what is missing.

        Raises `RedisUnavailable`.
        """
        if self._redis is not None:
            self._redis.start()
        else:
            broker.check(self._settings)
        self._supervisor.start()
        self.tend()

    def take_lock(self) -> bool:
        """True when this runtime is the one that starts processes."""
        if self._lock is not None:
            return True
        path = self._settings.var / "up.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        return True

    def tend(self) -> frozenset[str]:
        """Start what nobody plays, when that is for this runtime to do; returns what is missing."""
        missing = self._missing()
        if missing and self.take_lock():
            for role in self._roles:
                if role.name in missing:
                    self._supervisor.add(_program(self._settings, role))
        return missing

    def wait_until_ready(
        self, patience: float, tell: Callable[[frozenset[str]], None] = lambda _missing: None
    ) -> None:
        """Return once every role is played. Raises `OperationError` after `patience` seconds."""
        deadline = time.monotonic() + patience
        while missing := self.tend():
            tell(missing)
            if time.monotonic() > deadline:
                raise OperationError(
                    f"{', '.join(sorted(missing))} did not start within {patience:.0f} seconds; "
                    f"the logs in {log_folder(self._settings)} say why"
                )
            time.sleep(0.1)

    def stop(self) -> None:
        """End everything that this runtime started; workers hand back what they hold."""
        self._supervisor.stop()
        if self._redis is not None:
            self._redis.stop()
        if self._lock is not None:
            self._lock.close()

    def _missing(self) -> frozenset[str]:
        try:
            with broker.client(self._settings) as client:
                played = set(heartbeat.alive(client))
        except redis.RedisError:
            played = set()
        if _listens(self._settings.sandbox.host, self._settings.sandbox.http_port):
            played.add(_SANDBOX)
        if _listens(self._settings.web.host, self._settings.web.port):
            played.add(_WEB)
        return frozenset(role.name for role in self._roles) - played


def log_folder(settings: Settings) -> Path:
    """Where the processes of a runtime write their logs."""
    return settings.var / "log"


def _roles(settings: Settings, *, web: bool) -> list[_Role]:
    channels = sorted({account.channel for account in settings.accounts.values()})
    roles = [
        _Role(worker_role(queue), ("worker", "--channel", queue))
        for queue in (CONTROL_QUEUE, *channels)
    ]
    roles.append(_Role(heartbeat.SCHEDULER, ("scheduler",)))
    if settings.sandbox.enabled:
        roles.insert(0, _Role(_SANDBOX, ("sandbox",)))
    if web:
        roles.append(_Role(_WEB, ("web",)))
    return roles


def _program(settings: Settings, role: _Role) -> Program:
    name = role.name.replace(":", "-")
    command = (sys.executable, "-m", "distributor", *role.arguments)
    return Program(role.name, command, log_folder(settings) / f"{name}.log")


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False
