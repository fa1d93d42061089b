"""What channels share between workers, kept in Redis: access tokens above all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis import Redis

_log = logging.getLogger(__name__)

_PREFIX = "distributor:shared:"


class RedisStore:
    """Follows `channels.base.SharedStore`. Without Redis it knows nothing and locks nobody out."""

    def __init__(self, connect: Callable[[], Redis]) -> None:
        """`connect` is called when something is first shared."""
        self._connect = connect

    @cached_property
    def _client(self) -> Redis:
        return self._connect()

    def get(self, key: str) -> str | None:
        from redis import RedisError

        try:
            found = self._client.get(_PREFIX + key)
        except RedisError as error:
            _log.warning("Redis does not answer, so nothing is shared: %s", error)
            return None
        return found.decode() if isinstance(found, bytes) else None

    def put(self, key: str, value: str, seconds: float) -> None:
        from redis import RedisError

        try:
            self._client.set(_PREFIX + key, value, px=max(1, round(seconds * 1000)))
        except RedisError as error:
            _log.warning("Redis does not answer, so nothing is shared: %s", error)

    @contextmanager
    def lock(self, key: str, seconds: float) -> Iterator[None]:
        from redis import RedisError

        # It frees itself after as long as others wait for it, in case its holder is killed.
        lock = self._client.lock(
            f"{_PREFIX}{key}:lock", timeout=seconds, blocking_timeout=seconds, sleep=0.05
        )
        try:
            ours = lock.acquire()
        except RedisError as error:
            _log.warning("Redis does not answer, so nobody waits for anybody: %s", error)
            ours = False
        try:
            yield
        finally:
            if ours:
                try:
                    lock.release()
                except RedisError as error:
                    _log.warning("a lock was not given back and runs out by itself: %s", error)
