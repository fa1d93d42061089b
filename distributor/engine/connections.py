"""Open connections to the platforms, kept by account and lent to one thread at a time."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from channels import registry
from channels.base import Account, Connection


class ConnectionPool:
    """Lends the connection that was used last, so that few stay warm instead of many cold."""

    def __init__(self) -> None:
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
