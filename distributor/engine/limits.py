"""Rate limits that all workers share: token buckets in Redis, asked together.

The generic cell rate algorithm keeps one number a bucket: when it would be empty again. All
buckets of a message are asked in one script, by Redis' own clock: either each of them has room
soon enough and all are charged, or none is charged and the answer says which one is full.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, cast

from channels.base import RateLimit

if TYPE_CHECKING:
    from redis import Redis
    from redis.commands.core import Script

_log = logging.getLogger(__name__)

_PREFIX = "distributor:rate:"
#: A limit must not fail open: without Redis nothing leaves, and it is asked again after this long.
_WITHOUT_REDIS_SECONDS = 2.0

# KEYS: buckets. ARGV: the longest wait that is taken, then for each bucket its interval and its
# burst, all in microseconds. Returns the wait and 0, or the wait and the number of a full bucket.
_RESERVE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local wait, full, due = 0, 0, {}
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local empty_at = math.max(tonumber(redis.call('GET', key)) or now, now)
  due[i] = empty_at + interval
  if due[i] - burst - now > wait then wait, full = due[i] - burst - now, i end
end
if wait > tonumber(ARGV[1]) then return {wait, full} end
for i, key in ipairs(KEYS) do
  redis.call('SET', key, string.format('%.0f', due[i]), 'PX', math.ceil((due[i] - now) / 1000) + 1)
end
return {wait, 0}
"""
# KEYS: one bucket. ARGV: how long nobody may pass, and the bucket's burst, in microseconds.
_CLOSE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local until_then = now + tonumber(ARGV[1]) + tonumber(ARGV[2])
if until_then > (tonumber(redis.call('GET', KEYS[1])) or 0) then
  local life = math.ceil((until_then - now) / 1000) + 1
  redis.call('SET', KEYS[1], string.format('%.0f', until_then), 'PX', life)
end
return 0
"""


@dataclass(frozen=True, slots=True)
class Room:
    """Whether a message may leave."""

    #: Seconds until it may.
    wait: float
    #: The bucket that is full; None when the message was charged and only has to wait.
    full: RateLimit | None = None


class Limiter(Protocol):
    """Asks the shared buckets before a message leaves."""

    def reserve(self, limits: Sequence[RateLimit], patience: float) -> Room:
        """Charge a message to all buckets, if each has room within `patience` seconds."""

    def close(self, limit: RateLimit, seconds: float) -> None:
        """Let nobody pass a bucket for so long: the platform asked for it."""


class RedisLimiter:
    """Buckets in Redis. They outlive workers, and restarts of a Redis that keeps its data."""

    def __init__(self, connect: Callable[[], Redis]) -> None:
        """`connect` is called for the first message that has a limit."""
        self._connect = connect

    @cached_property
    def _client(self) -> Redis:
        return self._connect()

    @cached_property
    def _reserve(self) -> Script:
        return self._client.register_script(_RESERVE)

    @cached_property
    def _close(self) -> Script:
        return self._client.register_script(_CLOSE)

    def reserve(self, limits: Sequence[RateLimit], patience: float) -> Room:
        if not limits:
            return Room(0)
        from redis import RedisError

        arguments = [_microseconds(patience)]
        for limit in limits:
            arguments += [_interval(limit), _interval(limit) * limit.burst]
        try:
            answer = self._reserve([_PREFIX + limit.key for limit in limits], arguments)
        except RedisError as error:
            _log.warning("Redis does not answer, so nothing limited is sent: %s", error)
            # Nobody on the account gets further: they need not all find out one by one.
            whole_account = replace(limits[0], is_account_wide=True)
            return Room(_WITHOUT_REDIS_SECONDS, full=whole_account)
        wait, full = cast(tuple[int, int], answer)
        return Room(wait / 1_000_000, full=limits[full - 1] if full else None)

    def close(self, limit: RateLimit, seconds: float) -> None:
        from redis import RedisError

        arguments = [_microseconds(seconds), _interval(limit) * limit.burst]
        try:
            self._close([_PREFIX + limit.key], arguments)
        except RedisError as error:
            _log.warning("the platform's wish to wait could not be shared: %s", error)


def _interval(limit: RateLimit) -> int:
    return _microseconds(1 / limit.per_second)


def _microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)
