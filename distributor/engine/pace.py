"""How many deliveries a lane takes into its hands at a time."""

from __future__ import annotations

import threading

_HORIZON_SECONDS = 0.5
_FEWEST = 25
_MOST = 500


class Pace:
    """Learns how fast each account's lanes are.

    What a lane holds is in doubt when its whole machine is lost, journal and all: so a slow
    platform's lane holds few deliveries, and a fast one's as many as it sends in half a
    second, which saves the ledger a run trip for every few of them.
    """

    def __init__(self) -> None:
        #: Messages a second by account.
        self._speeds: dict[str, float] = {}
        self._lock = threading.Lock()

    def chunk_size(self, account: str) -> int:
        """How many deliveries a lane of `account` takes now."""
        speed = self._speeds.get(account, 0)
        return max(_FEWEST, min(_MOST, round(speed * _HORIZON_SECONDS)))

    def learn(self, account: str, deliveries: int, seconds: float) -> None:
        """A lane worked on so many deliveries for so long."""
        if deliveries and seconds > 0:
            with self._lock:
                before = self._speeds.get(account, 0)
                self._speeds[account] = (before + deliveries / seconds) / 2
