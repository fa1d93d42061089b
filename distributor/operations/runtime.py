"""Everything that one machine runs, as child processes: what `up` starts and keeps running."""

from __future__ import annotations

import fcntl
import socket
import sys
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from distributor.engine import broker, heartbeat
from distributor.engine.children import Program, Supervisor
from distributor.engine.embedded_redis import EmbeddedRedis
from distributor.engine.heartbeat import worker_role
from distributor.engine.hints import CONTROL_QUEUE
from distributor.operations import roster
from distributor.operations.errors import OperationError
from distributor.settings import Settings

#: Not a queue or the scheduler, so not a role in Redis: seen by its port.
_SANDBOX = "sandbox"
_WEB = "web"
_ANSWER_SECONDS = 5
#: A program that ended this often before it played its role will not start the next time either.
_HOPELESS_STARTS = 3


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

        Raises `RedisUnavailable`, and `OperationError` for a port that a stranger has.
        """
        _check_ports(self._settings, {role.name for role in self._roles})
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
        """Return once every role is played.

        Raises `OperationError` after `patience` seconds, and before that when a program of this
        runtime ends again and again.
        """
        deadline = time.monotonic() + patience
        while missing := self.tend():
            tell(missing)
            self._check_starting(missing)
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

    def _check_starting(self, missing: Iterable[str]) -> None:
        for name in sorted(missing):
            ended = self._supervisor.ended(name)
            if ended is not None and ended.times >= _HOPELESS_STARTS:
                words = ended.last_line.removeprefix("error: ") or f"exit code {ended.code}"
                raise OperationError(
                    f"{name} cannot be started: {words.rstrip('.')}. "
                    f"Its whole log: {_log_file(self._settings, name)}"
                )

    def _missing(self) -> frozenset[str]:
        played = set(roster.look(self._settings).processes)
        if _listens(self._settings.sandbox.host, self._settings.sandbox.http_port):
            played.add(_SANDBOX)
        if _listens(self._settings.web.host, self._settings.web.port):
            played.add(_WEB)
        return frozenset(role.name for role in self._roles) - played


def idle_queues(settings: Settings, channels: Iterable[str]) -> tuple[str, ...]:
    """Queues of a send on `channels` that no running worker takes tasks from."""
    alive = roster.look(settings).processes
    return tuple(q for q in (CONTROL_QUEUE, *channels) if worker_role(q) not in alive)


def sandbox_answers(settings: Settings) -> bool:
    """Whether what listens on the sandbox's port is a sandbox."""
    return _is_ours(settings.sandbox.host, settings.sandbox.http_port, "control/faults")


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
    if settings.sources:
        roles.append(_Role(heartbeat.WATCHER, ("watch",)))
    if settings.sandbox.enabled:
        roles.insert(0, _Role(_SANDBOX, ("sandbox",)))
    if web:
        roles.append(_Role(_WEB, ("web",)))
        roles += [
            _Role(heartbeat.bot_role(account.name), ("bot", "--account", account.name))
            for account in settings.accounts.values()
            if account.has_bot
        ]
    return roles


def _program(settings: Settings, role: _Role) -> Program:
    command = (sys.executable, "-m", "distributor", *role.arguments)
    log = _log_file(settings, role.name)
    # Workers still talk to the platforms while they end.
    return Program(role.name, command, log, outlives_others=role.name == _SANDBOX)


def _log_file(settings: Settings, role: str) -> Path:
    return log_folder(settings) / f"{role.replace(':', '-')}.log"


def _check_ports(settings: Settings, roles: Collection[str]) -> None:
    """Raise `OperationError` when another program has a port that one of `roles` needs."""
    sandbox, web = settings.sandbox, settings.web
    if _SANDBOX in roles and not sandbox_answers(settings):
        _check_free(sandbox.host, sandbox.http_port, "sandbox.http_port")
        _check_free(sandbox.host, sandbox.smtp_port, "sandbox.smtp_port")
    if _WEB in roles and not _is_ours(web.host, web.port, "healthz"):
        _check_free(web.host, web.port, "web.port")


def _check_free(host: str, port: int, key: str) -> None:
    if _listens(host, port):
        raise OperationError(
            f"port {port} of {host} is taken by another program; "
            f"stop that one, or choose another port: {key}"
        )


def _is_ours(host: str, port: int, path: str) -> bool:
    """Whether what listens there answers as our own programs do."""
    import requests

    try:
        answer = requests.get(f"http://{host}:{port}/{path}", timeout=_ANSWER_SECONDS)
    except requests.RequestException:
        return False
    return answer.ok and answer.headers.get("content-type", "").startswith("application/json")


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False
