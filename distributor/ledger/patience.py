"""How long PostgreSQL's answers are waited for.

A server that hangs leaves its clients waiting, with no error: the kernel of its machine goes on
acknowledging what they send, so neither keepalives nor time limits of TCP end it, and a time limit
in the server needs one that runs. Who waits for longer than it wants to is cut off from this side;
the driver then reports a lost connection, as after a restart of the server.
"""

from __future__ import annotations

import math
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

#: How long PostgreSQL may take to let us in, and in a process that should end, in seconds.
_CONNECT_SECONDS = 5
_LAST_CONNECT_SECONDS = 2
#: When a connection counts as lost whose server, or the network to it, is gone: parameters of libpq
#: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
_LOST_AFTER = {
    "tcp_user_timeout": 15_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
#: A wait may be ended so much later than it should, in seconds.
_LOOK_SECONDS = 0.2


def connect_args(url: sa.URL) -> dict[str, int]:
    """Limits to connect to PostgreSQL with, but for those that the URL sets itself."""
    limits = {"connect_timeout": _CONNECT_SECONDS, **_LOST_AFTER}
    return {name: value for name, value in limits.items() if name not in url.query}


@dataclass(eq=False, slots=True)
class _Wait:
    #: A duplicate, so that it stays this connection's socket until it is closed here.
    socket: socket.socket
    #: By the monotonic clock.
    until: float


class Patience:
    """What the threads of this process wait for, and for how long; one thread looks after it."""

    def __init__(self) -> None:
        self._own = threading.local()
        self._lock = threading.Lock()
        self._waits: set[_Wait] = set()
        self._hurry = math.inf
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def applies_to(self, engine: sa.Engine) -> None:
        """Let connecting be in a hurry too."""

        @sa.event.listens_for(engine, "do_connect")
        def on_connect(_dialect: object, _record: object, _: object, args: dict[str, Any]) -> None:
            if self._hurry < math.inf:
                args["connect_timeout"] = _LAST_CONNECT_SECONDS

    @contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """In this block, this thread wants each answer within so many seconds."""
        before = self._limit
        self._own.limit = min(before, seconds)
        try:
            yield
        finally:
            self._own.limit = before

    def hurry(self, seconds: float) -> None:
        """Let every wait that has a limit end within so many seconds, from now on."""
        until = time.monotonic() + seconds
        with self._lock:
            self._hurry = seconds
            for wait in self._waits:
                wait.until = min(wait.until, until)

    @contextmanager
    def watched(self, connection: Any, at_most: float = math.inf) -> Iterator[None]:
        """Cut this connection of the driver's when the block takes longer than it may.

        That is `at_most` seconds, or the limit of this thread if less; without one it is left
        alone.
        """
        seconds = min(self._limit, at_most)
        if seconds == math.inf:
            yield
            return
        with socket.socket(fileno=os.dup(connection.fileno())) as duplicate:
            wait = self._begin(duplicate, seconds)
            try:
                yield
            finally:
                with self._lock:
                    self._waits.discard(wait)

    def close(self) -> None:
        """Look after nothing any more, until something is to be looked after again."""
        with self._lock:
            self._closed.set()
            self._thread = None

    @property
    def _limit(self) -> float:
        return float(getattr(self._own, "limit", math.inf))

    def _begin(self, duplicate: socket.socket, seconds: float) -> _Wait:
        with self._lock:
            wait = _Wait(duplicate, time.monotonic() + min(seconds, self._hurry))
            self._waits.add(wait)
            if self._thread is None:
                # One of its own for each thread, so that the one before ends in any case.
                self._closed = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(self._closed,), name="patience", daemon=True
                )
                self._thread.start()
        return wait

    def _run(self, closed: threading.Event) -> None:
        while not closed.wait(_LOOK_SECONDS):
            now = time.monotonic()
            with self._lock:
                for wait in self._waits:
                    if wait.until < now:
                        # Cut once already, or by the other side.
                        with suppress(OSError):
                            wait.socket.shutdown(socket.SHUT_RDWR)
