"""Counts what passed in a sliding window of time, as the platforms' rate limits do."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class SlidingWindow:
    """At most `limit` passages for a key within any `seconds`."""

    limit: int
    seconds: float
    clock: Callable[[], float] = time.monotonic
    _passed: defaultdict[str, deque[float]] = field(
        default_factory=lambda: defaultdict(deque), init=False
    )

    def wait(self, key: str) -> int:
        """Whole seconds until `key` may pass; 0 when it may pass now."""
        passed = self._passed[key]
        horizon = self.clock() - self.seconds
        while passed and passed[0] <= horizon:
            passed.popleft()
        if len(passed) < self.limit:
            return 0
        return max(1, math.ceil(passed[0] - horizon))

    def enter(self, key: str) -> None:
        """Count one passage of `key` now."""
        self._passed[key].append(self.clock())


def first_wait(windows: list[tuple[SlidingWindow, str]]) -> int:
    """Seconds until every window lets its key pass; counts the passage when that is 0."""
    longest = max((window.wait(key) for window, key in windows), default=0)
    if longest == 0:
        for window, key in windows:
            window.enter(key)
    return longest
