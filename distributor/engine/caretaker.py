"""The caretaker: in every worker process, sees to what lost workers of its machine left.

Only on the machine of a lost worker can its journal be read, so this cannot be left to the sweeper,
which runs on one machine of a fleet. Everything here is idempotent in SQL: the processes of a
machine do it side by side, without harm.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from distributor.engine import recovery
from distributor.engine.context import Context, Hints
from distributor.engine.hints import hint_due
from distributor.engine.sweeper import HINT_LIFE_SECONDS

_log = logging.getLogger(__name__)

#: The share of a lease that may pass between two looks: a lost worker's lease has three quarters
#: of its length left, and what is found by then need not be in doubt.
_LEASE_SHARE = 1 / 8
#: How long a look under way may hold up the end of the process, in seconds.
_PATIENCE_SECONDS = 5.0


@contextmanager
def on_duty(context: Context, hints: Hints) -> Iterator[None]:
    """Look at once, and every few seconds while the block runs.

    A look that fails, because the ledger is away or a journal cannot be read, is logged; the next
    one starts anew.
    """
    pause = min(
        context.settings.sending.sweep_seconds,
        context.leases.lease.total_seconds() * _LEASE_SHARE,
    )
    stopping = threading.Event()

    def run() -> None:
        while True:
            try:
                look(context, hints)
            except Exception as error:  # noqa: BLE001 - nobody else looks in its place
                _log.warning("lost workers could not be looked for: %s", error)
            if stopping.wait(pause):
                return

    thread = threading.Thread(target=run, name="caretaker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(_PATIENCE_SECONDS)


def look(context: Context, hints: Hints) -> None:
    """Recover what lost workers of this machine left, and hint at the batches that this freed."""
    with context.ledger.patience(context.leases.lease.total_seconds() / 2):
        if recovery.recover(context):
            hint_due(context, hints, HINT_LIFE_SECONDS)
