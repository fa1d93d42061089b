"""When a delivery that was not accepted is tried again."""

from __future__ import annotations

import random
from datetime import timedelta

#: Share of the platform's own waiting time that is added at random, so that not everybody
#: comes back at the same moment.
_RETRY_AFTER_JITTER = 0.1


def delay(
    attempt: int, *, base_seconds: float, cap_seconds: float, retry_after: float | None
) -> timedelta:
    """How long to wait after try number `attempt` (from 1).

    Exponential with equal jitter: evenly drawn between half and all of base x 2^(attempt-1), at
    most the cap, so that no two tries are close together; never less than `retry_after` seconds,
    the platform's own wish.
    """
    ceiling = min(cap_seconds, base_seconds * 2 ** min(attempt - 1, 32))
    drawn = random.uniform(ceiling / 2, ceiling)  # noqa: S311
    if retry_after is not None:
        drawn = max(drawn, retry_after * (1 + random.uniform(0, _RETRY_AFTER_JITTER)))  # noqa: S311
    return timedelta(seconds=drawn)
