"""Counts of what only processes know, added up in Redis for whoever watches.

Counting never fails and never waits: a process counts in memory, and a thread of its own tells
Redis every two seconds. What a killed process had not told yet is lost, as is everything when
Redis loses its keys: these numbers are for watching, the ledger is for answering.
"""

from __future__ import annotations

import collections
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from redis import Redis

_log = logging.getLogger(__name__)

_PREFIX = "distributor:count:"
_TELL_SECONDS = 2.0

#: Tries at a message, by channel, outcome and class of the answer's code.
ATTEMPTS = "attempts"
#: Batches taken over from a worker that did not give them back, by channel.
LEASES_LOST = "leases_lost"
#: Messages that were postponed because a bucket was full, by account and scope of the bucket.
RATE_WAITS = "rate_waits"
ALL = (ATTEMPTS, LEASES_LOST, RATE_WAITS)


class Counters:
    """The counts of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: collections.Counter[tuple[str, tuple[str, ...]]] = collections.Counter()

    def add(self, name: str, *labels: str, by: int = 1) -> None:
        """Count `by` more of the metric `name` with these labels, in order; nothing is sent yet."""
        with self._lock:
            self._counts[name, labels] += by

    def flush(self, client: Redis) -> None:
        """Add what was counted since the last time to Redis; when it is away, the next time."""
        from redis import RedisError

        with self._lock:
            counted, self._counts = self._counts, collections.Counter()
        if not counted:
            return
        try:
            with client.pipeline() as pipeline:
                for (name, labels), number in counted.items():
                    pipeline.hincrby(_PREFIX + name, json.dumps(labels), number)
                pipeline.execute()
        except RedisError as error:
            _log.debug("counts are told later: %s", error)
            with self._lock:
                self._counts += counted


@contextmanager
def flushing(counters: Counters, client: Redis) -> Iterator[None]:
    """Tell Redis every two seconds while the block runs, and once more when it ends."""
    stopping = threading.Event()

    def run() -> None:
        while not stopping.wait(_TELL_SECONDS):
            counters.flush(client)

    thread = threading.Thread(target=run, name="counters", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
        counters.flush(client)


def read(client: Redis, name: str) -> Mapping[tuple[str, ...], int]:
    """The count of all processes together, by labels. Raises `RedisError`."""
    stored = cast("dict[bytes, bytes]", client.hgetall(_PREFIX + name))
    counted = {tuple(json.loads(labels)): int(number) for labels, number in stored.items()}
    return dict(sorted(counted.items()))


def code_class(code: str) -> str:
    """The first two words of an answer's code, of which there are few: `smtp-550-5.1.1` is
    `smtp-550`."""
    return "-".join(code.split("-")[:2])
