"""Ending what is over in short transactions, however large the send."""

from __future__ import annotations

import time
from collections.abc import Callable

from distributor.engine.context import Context
from distributor.ledger.deliveries import Ended


def in_turns(context: Context, end: Callable[[int], Ended], *, until: float) -> int:
    """Let `end` go from batch to batch; it is given the last one, and 0 at first.

    Stops when all is ended, at `until` by the monotonic clock, or when the process should end;
    returns how many deliveries were ended.
    """
    number = 0
    after: int | None = 0
    while after is not None and time.monotonic() < until and not context.stopping.is_set():
        ended = end(after)
        number += ended.number
        after = ended.last_batch
    return number
