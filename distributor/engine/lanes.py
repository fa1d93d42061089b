"""Lanes: how many threads of this process one account may keep busy.

A queue holds the batches of all accounts of its channel. Without a limit, the batches of an
account whose platform is slow would come to sit in every lane, and the others would wait for it.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Collection


class Lanes:
    """Which accounts are at work in this process, and which batches wait for one of their lanes.

    What waits here is only a hint: lost with the process, and given again by the sweeper.
    """

    def __init__(self, number: int, accounts: Collection[str]) -> None:
        """`number` of lanes, for the batches of `accounts`."""
        self._number = number
        self._accounts = frozenset(accounts)
        self._busy: Counter[str] = Counter()
        self._waiting: dict[str, deque[int]] = defaultdict(deque)
        self._lock = threading.Lock()

    def enter(self, account: str, batch_id: int, limit: int) -> bool:
        """Take a lane for `account`; False when it must not have another one.

        It may have `limit` lanes, and a second one only while each account that is not at work
        finds one too. The batch then waits for one of the account's own.
        """
        with self._lock:
            mine = self._busy[account]
            if mine == 0 or (mine < limit and self._has_room()):
                self._busy[account] += 1
                return True
            if batch_id not in self._waiting[account]:
                self._waiting[account].append(batch_id)
            return False

    def next(self, account: str) -> int | None:
        """A batch that waited for the lane that the caller has; None gives the lane back."""
        with self._lock:
            if self._waiting[account]:
                return self._waiting[account].popleft()
            self._busy[account] -= 1
            return None

    def leave(self, account: str) -> None:
        """Give the lane back, whoever waits for it."""
        with self._lock:
            self._busy[account] -= 1

    def _has_room(self) -> bool:
        """Whether more are free than one for each account at rest, or half of all if less."""
        at_rest = sum(1 for account in self._accounts if not self._busy[account])
        return self._number - self._busy.total() > min(at_rest, self._number // 2)
