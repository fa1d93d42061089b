"""The sweeper: puts to work what is due, ends what is over, and closes the books.

Everything here is idempotent in SQL: two sweepers at once, or none for a while, do no harm.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial

from distributor.engine.context import Context, Hints
from distributor.engine.ending import in_turns
from distributor.engine.hints import hint_due
from distributor.ledger import deliveries, sends, steering, tallies
from distributor.ledger.database import LedgerUnavailable
from distributor.ledger.deliveries import Ended
from distributor.ledger.states import SendState

_log = logging.getLogger(__name__)

#: A queued hint that was not taken up within this time may be lost, in seconds.
HINT_LIFE_SECONDS = 30.0
#: What is over is ended for so long in one sweep, in seconds: other sends wait for their hints.
_LONGEST_ENDING_SECONDS = 5.0


def sweep(context: Context, hints: Hints) -> None:
    """One look over the ledger.

    A step that fails is logged, and keeps none of the others from their sends. Raises
    `LedgerUnavailable` when the ledger cannot be reached, and what keeps hints from being given.
    """
    at = context.now()
    with _step("release scheduled sends"), context.ledger.write() as connection:
        sends.release_scheduled(connection, at)
    with _step("end what is past its send's deadline"):
        _end_late(context, at)
    with _step("end what is left of canceled sends"):
        _end_canceled(context, at)
    with context.ledger.read() as connection:
        started = sends.in_state(connection, SendState.SENDING, SendState.PAUSED)
        preparing = sends.in_state(connection, SendState.PREPARING)
    for send_id in started:
        with _step(f"close send {send_id}"):
            _close(context, send_id, at)
    with _step("add up the tallies"), context.ledger.write() as connection:
        tallies.add_up(connection)
    hints.prepare(preparing)
    hint_due(context, hints, HINT_LIFE_SECONDS)


@contextmanager
def _step(what: str) -> Iterator[None]:
    try:
        yield
    except LedgerUnavailable:
        raise
    except Exception:  # noqa: BLE001
        # Whatever it is, it must not stop every send there is.
        _log.exception("a sweep could not %s; the next one tries again", what)


def _end_late(context: Context, at: datetime) -> None:
    def end(after: int) -> Ended:
        with context.ledger.write() as connection:
            return deliveries.expire(connection, at, after=after)

    if expired := in_turns(context, end, until=time.monotonic() + _LONGEST_ENDING_SECONDS):
        _log.warning("%s deliveries ended at their send's deadline", expired)


def _end_canceled(context: Context, at: datetime) -> None:
    def end(after: int, *, send_id: int) -> Ended:
        with context.ledger.write() as connection:
            return steering.end_canceled(connection, send_id, at, after=after)

    until = time.monotonic() + _LONGEST_ENDING_SECONDS
    with context.ledger.read() as connection:
        canceled = steering.canceled_with_work(connection)
    number = sum(in_turns(context, partial(end, send_id=one), until=until) for one in canceled)
    if number:
        _log.info("%s deliveries ended with their canceled send", number)


def _close(context: Context, send_id: int, at: datetime) -> None:
    with context.ledger.write() as connection:
        closed = sends.close_if_done(connection, send_id, at)
    if closed:
        _log.info("send %s finished", send_id, extra={"send": send_id})
