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

#: The last share of a lease in which nothing more is begun: clocks of machines differ.
_MARGIN = 1 / 8
#: The share of a lease after which it is renewed.
_RENEWED_AFTER = 1 / 4


class LeaseKeeper:
    """Renews all held leases from one thread, four times within each lease's length.

    A lease that could not be renewed runs out, and whoever claims the batch next settles it. By
    its own clock this process knows when that may happen, and stops before: also when it was
    itself what stood still.
    """

    def __init__(self, ledger: Ledger, lease: timedelta, now: Callable[[], datetime]) -> None:
        self.lease = lease
        self._ledger = ledger
        self._now = now
        #: By token, until when it surely is ours.
        self._until: dict[str, datetime] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def keep(self, token: str, claimed_at: datetime) -> Iterator[None]:
        """Renew the lease that `token` holds since `claimed_at` until the block ends."""
        with self._lock:
            self._until[token] = claimed_at + self.lease
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._until.pop(token)

    def is_sure(self, token: str) -> bool:
        """Whether nobody else can hold the lease yet, nor for the time that a message takes."""
        return self._now() < self._until[token] - self.lease * _MARGIN

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(self.lease.total_seconds() * _RENEWED_AFTER):
            with self._lock:
                tokens = list(self._until)
            if tokens:
                self._renew(tokens)

    def _renew(self, tokens: list[str]) -> None:
        until = self._now() + self.lease
        # Not longer than until the next time: a connection that hangs must not cost the lease.
        patience = self._ledger.patience(self.lease.total_seconds() * _RENEWED_AFTER)
        try:
            with patience, self._ledger.write() as connection:
                renewed = batches.renew(connection, tokens, until)
        except (SQLAlchemyError, LedgerUnavailable) as error:
            _log.warning("leases could not be renewed: %s", error)
            return
        with self._lock:
            self._until.update((token, until) for token in renewed if token in self._until)
