"""Turns: how SQLite's writers wait for each other.

SQLite lets a writer that comes too early look again after pauses of up to a tenth of a second, in
which the database may stand idle. Those who take turns look more often at a lock that costs
nothing to look at. It only orders them: what keeps two writers apart is SQLite's own lock.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Pauses between two looks, in seconds: the first, and the longest after more and more.
_SHORTEST, _LONGEST = 0.0002, 0.001


class Turns:
    """The turns of one process at one database; its threads share them."""

    def __init__(self, path: Path, patience: float) -> None:
        """`path` of the lock's file, which is made when it is not there.

        Whoever had no turn after `patience` seconds goes on without, as when there can be no file.
        """
        self._path = path
        self._patience = patience
        self._threads = threading.RLock()
        self._file: int | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for a turn, and keep it until the block ends."""
        deadline = time.monotonic() + self._patience
        if not self._threads.acquire(timeout=self._patience):
            yield
            return
        try:
            file = self._lock(deadline)
            try:
                yield
            finally:
                if file is not None:
                    fcntl.flock(file, fcntl.LOCK_UN)
        finally:
            self._threads.release()

    def close(self) -> None:
        """Nobody begins to write any more. A file whose turn somebody still has is left open."""
        if not self._threads.acquire(timeout=_LONGEST):
            return
        try:
            if self._file is not None:
                os.close(self._file)
                self._file = None
        finally:
            self._threads.release()

    def _lock(self, deadline: float) -> int | None:
        """The locked file; None without a turn."""
        pause = _SHORTEST
        while True:
            try:
                if self._file is None:
                    self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno != errno.EWOULDBLOCK or time.monotonic() > deadline:
                    return None
            else:
                return self._file
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST)
