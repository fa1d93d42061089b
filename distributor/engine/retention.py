"""The sweeper's slow companion: drops what is kept no longer than the settings say."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from distributor.engine.context import Context
from distributor.ledger import retention, returns

_log = logging.getLogger(__name__)

#: How often it looks, in seconds.
EVERY_SECONDS = 60.0
LETTERS_EVERY_SECONDS = 3600.0
#: It stops after so long and goes on the next time, in seconds: others wait for this worker.
_LONGEST_SECONDS = 5.0
#: Batches whose attempts go in one transaction; on SQLite everybody waits for it.
_BATCHES_AT_ONCE = 20


def drop_old_attempts(context: Context) -> int:
    """Drop attempts of sends that ended longer ago than `retention.attempts_days`.

    Returns how many; none when everything is kept for ever.
    """
    days = context.settings.retention.attempts_days
    if not days:
        return 0
    ended_before = context.now() - timedelta(days=days)
    dropped, deadline = 0, time.monotonic() + _LONGEST_SECONDS
    while not context.stopping.is_set() and time.monotonic() < deadline:
        with context.ledger.write() as connection:
            some = retention.drop_some(
                connection, ended_before=ended_before, at=context.now(), limit=_BATCHES_AT_ONCE
            )
        if some is None:
            break
        dropped += some
    if dropped:
        _log.info("%s attempts of old sends dropped", dropped)
    return dropped


def drop_old_letters(context: Context) -> int:
    """Drop what was written to the bounce address longer ago than `retention.letters_days`.

    Returns how many letters; none when they are kept for ever.
    """
    days = context.settings.retention.letters_days
    if not days:
        return 0
    with context.ledger.write() as connection:
        dropped = returns.drop_letters(
            connection, taken_before=context.now() - timedelta(days=days)
        )
    if dropped:
        _log.info("%s old letters to the bounce address dropped", dropped)
    return dropped
