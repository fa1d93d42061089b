"""The sweeper: puts to work what is due, ends what is over, and closes the books.

Everything here is idempotent in SQL: two sweepers at once, or none for a while, do no harm.
"""

from __future__ import annotations

import logging

from distributor.engine.context import Context, Hints
from distributor.engine.hints import hint_due
from distributor.ledger import deliveries, sends, steering, tallies
from distributor.ledger.states import SendState

_log = logging.getLogger(__name__)

#: A queued hint that was not taken up within this time may be lost, in seconds.
HINT_LIFE_SECONDS = 30.0


def sweep(context: Context, hints: Hints) -> None:
    """One look over the ledger."""
    at = context.now()
    with context.ledger.write() as connection:
        sends.release_scheduled(connection, at)
    with context.ledger.write() as connection:
        if expired := deliveries.expire(connection, at):
            _log.warning("%s deliveries ended at their send's deadline", expired)
        if canceled := steering.end_canceled(connection, at):
            _log.info("%s deliveries ended with their canceled send", canceled)
    with context.ledger.read() as connection:
        started = sends.in_state(connection, SendState.SENDING, SendState.PAUSED)
        preparing = sends.in_state(connection, SendState.PREPARING)
    for send_id in started:
        with context.ledger.write() as connection:
            closed = sends.close_if_done(connection, send_id, at)
        if closed:
            _log.info("send %s finished", send_id, extra={"send": send_id})
    with context.ledger.write() as connection:
        tallies.add_up(connection)
    hints.prepare(preparing)
    hint_due(context, hints, HINT_LIFE_SECONDS)
