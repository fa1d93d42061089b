"""Rate limits are shared by all workers and exact, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from channels.base import RateLimit
from distributor.engine.embedded_redis import EmbeddedRedis
from distributor.engine.limits import RedisLimiter
from tests.support.waiting import eventually


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    running = EmbeddedRedis(tmp_path / "redis")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def client(server: EmbeddedRedis) -> Iterator[redis.Redis]:
    with redis.Redis(unix_socket_path=str(server.socket)) as connected:
        yield connected


@pytest.fixture
def limiter(client: redis.Redis) -> RedisLimiter:
    return RedisLimiter(lambda: client)


#: One message a minute: a thread that stalls for seconds changes nothing.
PER_SECOND = 1 / 60
#: For what passes between two questions, in seconds.
TOLERANCE = 25


def limit(key: str = "bot", burst: int = 3, wide: bool = True) -> RateLimit:
    return RateLimit(key, PER_SECOND, burst, is_account_wide=wide)


def test_a_burst_passes_and_then_the_bucket_is_full(limiter: RedisLimiter) -> None:
    rooms = [limiter.reserve([limit()], patience=0) for _ in range(4)]

    assert [room.full for room in rooms] == [None, None, None, limit()]


def test_a_full_bucket_says_how_long_to_wait(limiter: RedisLimiter) -> None:
    for _ in range(3):
        limiter.reserve([limit()], patience=0)

    wait = limiter.reserve([limit()], patience=0).wait
    assert 60 - TOLERANCE < wait <= 60


def test_room_that_comes_soon_is_charged_at_once_and_waited_for(limiter: RedisLimiter) -> None:
    waits = [limiter.reserve([limit(burst=1)], patience=600).wait for _ in range(4)]

    assert waits == pytest.approx([0, 60, 120, 180], abs=TOLERANCE)


def test_a_message_is_charged_to_all_its_buckets_or_to_none(limiter: RedisLimiter) -> None:
    account, chat = limit("account", burst=10), limit("chat", burst=1, wide=False)
    limiter.reserve([account, chat], patience=0)

    refused = [limiter.reserve([account, chat], patience=0).full for _ in range(20)]

    assert set(refused) == {chat}
    assert limiter.reserve([account], patience=0).full is None


def test_many_workers_together_pass_no_more_than_one(client: redis.Redis) -> None:
    def work(_worker: int) -> int:
        limiter = RedisLimiter(lambda: client)
        rooms = [limiter.reserve([limit(burst=40)], patience=0) for _ in range(50)]
        return sum(room.full is None for room in rooms)

    with ThreadPoolExecutor(4) as workers:
        passed = sum(workers.map(work, range(4)))

    assert passed == 40


def test_a_bucket_gets_room_as_time_goes_by(limiter: RedisLimiter) -> None:
    quick = RateLimit("quick", 20, burst=1, is_account_wide=True)
    limiter.reserve([quick], patience=0)

    eventually(lambda: limiter.reserve([quick], patience=0).full is None)


def test_what_a_platform_asks_for_closes_the_bucket(limiter: RedisLimiter) -> None:
    limiter.close(limit(), seconds=600)

    wait = limiter.reserve([limit()], patience=1).wait
    assert wait == pytest.approx(600 + 60, abs=TOLERANCE)


def test_a_bucket_outlives_a_restart_of_redis(
    server: EmbeddedRedis, limiter: RedisLimiter, tmp_path: Path
) -> None:
    limiter.close(limit(), seconds=600)
    server.stop()
    again = EmbeddedRedis(tmp_path / "redis")
    again.start()

    try:
        with redis.Redis(unix_socket_path=str(again.socket)) as connected:
            assert RedisLimiter(lambda: connected).reserve([limit()], patience=1).full == limit()
    finally:
        again.stop()


def test_without_redis_nothing_limited_leaves(tmp_path: Path) -> None:
    nowhere = redis.Redis(unix_socket_path=str(tmp_path / "nobody.sock"), retry=None)

    assert RedisLimiter(lambda: nowhere).reserve([limit()], patience=1).full == limit()


def test_without_limits_redis_is_not_asked(tmp_path: Path) -> None:
    nowhere = redis.Redis(unix_socket_path=str(tmp_path / "nobody.sock"), retry=None)

    assert RedisLimiter(lambda: nowhere).reserve([], patience=0).wait == 0
