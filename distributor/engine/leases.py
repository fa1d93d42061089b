"""Keeps the leases of this process's batches from running out while they are worked on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from distributor.ledger import batches
from distributor.ledger.database import Ledger, LedgerUnavailable

_log = logging.getLogger(__name__)


class LeaseKeeper:
    """Renews all held leases from one thread, four times within each lease's length.

    A lease that could not be renewed runs out, and whoever claims the batch next settles it:
    this process then finds its token gone and stops.
    """

    def __init__(self, ledger: Ledger, lease: timedelta, now: Callable[[], datetime]) -> None:
        self.lease = lease
        self._ledger = ledger
        self._now = now
        self._tokens: set[str] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def keep(self, token: str) -> Iterator[None]:
        """Renew the lease that `token` holds until the block ends."""
        with self._lock:
            self._tokens.add(token)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._tokens.discard(token)

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(self.lease.total_seconds() / 4):
            with self._lock:
                tokens = list(self._tokens)
            if tokens:
                self._renew(tokens)

    def _renew(self, tokens: list[str]) -> None:
        try:
            with self._ledger.write() as connection:
                batches.renew(connection, tokens, self._now() + self.lease)
        except (SQLAlchemyError, LedgerUnavailable) as error:
            _log.warning("leases could not be renewed: %s", error)
