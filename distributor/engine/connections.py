"""Open connections to the platforms, kept by account and lent to one thread at a time."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from channels import registry
from channels.base import Account, Connection
from channels.optional import SharedStore, SharingConnection


class ConnectionPool:
    """Lends the connection that was used last, so that few stay warm instead of many cold."""

    def __init__(self, shared: SharedStore | None = None) -> None:
        """`shared` is given to every connection that shares something with other workers."""
        self._shared = shared
        self._idle: dict[str, list[Connection]] = defaultdict(list)
        self._lock = threading.Lock()

    @contextmanager
    def lend(self, account: Account) -> Iterator[Connection]:
        """A connection for `account`; given back when the block ends, closed if it raised."""
        with self._lock:
            idle = self._idle[account.name]
            connection = idle.pop() if idle else None
        if connection is None:
            connection = registry.get(account.channel).connect(account)
            if self._shared is not None and isinstance(connection, SharingConnection):
                connection.share(self._shared)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        with self._lock:
            self._idle[account.name].append(connection)

    def close(self) -> None:
        """Close every idle connection."""
        with self._lock:
            idle = [connection for pool in self._idle.values() for connection in pool]
            self._idle.clear()
        for connection in idle:
            connection.close()
