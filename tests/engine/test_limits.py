"""Rate limits are shared by all workers and exact, whoever asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from channels.base import RateLimit
from distributor.engine.embedded_redis import EmbeddedRedis
from distributor.engine.limits import RedisLimiter


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


def limit(key: str = "bot", per_second: float = 1, burst: int = 3, wide: bool = True) -> RateLimit:
    return RateLimit(key, per_second, burst, is_account_wide=wide)


def test_a_burst_passes_and_then_the_bucket_is_full(limiter: RedisLimiter) -> None:
    rooms = [limiter.reserve([limit()], patience=0) for _ in range(4)]

    assert [room.full for room in rooms] == [None, None, None, limit()]


def test_a_full_bucket_says_how_long_to_wait(limiter: RedisLimiter) -> None:
    for _ in range(3):
        limiter.reserve([limit()], patience=0)

    assert 0.5 < limiter.reserve([limit()], patience=0).wait <= 1


def test_room_that_comes_soon_is_charged_at_once_and_waited_for(limiter: RedisLimiter) -> None:
    quick = limit(per_second=20, burst=1)

    waits = [limiter.reserve([quick], patience=1).wait for _ in range(4)]

    assert waits == sorted(waits)
    assert waits[-1] == pytest.approx(0.15, abs=0.05)


def test_a_message_is_charged_to_all_its_buckets_or_to_none(limiter: RedisLimiter) -> None:
    account, chat = limit("account", burst=10), limit("chat", burst=1, wide=False)
    limiter.reserve([account, chat], patience=0)

    refused = [limiter.reserve([account, chat], patience=0).full for _ in range(20)]

    assert set(refused) == {chat}
    assert limiter.reserve([account], patience=0).full is None


def test_many_workers_together_pass_no_more_than_one(client: redis.Redis) -> None:
    passed, until = [], time.monotonic() + 1.5

    def work() -> None:
        limiter = RedisLimiter(lambda: client)
        while time.monotonic() < until:
            if limiter.reserve([limit(per_second=40, burst=4)], patience=0).full is None:
                passed.append(1)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(passed) <= 4 + 40 * 1.6


def test_what_a_platform_asks_for_closes_the_bucket(limiter: RedisLimiter) -> None:
    limiter.close(limit(), seconds=30)

    assert limiter.reserve([limit()], patience=1).wait == pytest.approx(30 + 1, abs=1.5)


def test_a_bucket_outlives_a_restart_of_redis(
    server: EmbeddedRedis, limiter: RedisLimiter, tmp_path: Path
) -> None:
    limiter.close(limit(), seconds=60)
    server.stop()
    again = EmbeddedRedis(tmp_path / "redis")
    again.start()

    try:
        with redis.Redis(unix_socket_path=str(again.socket)) as connected:
            assert RedisLimiter(lambda: connected).reserve([limit()], patience=1).full == limit()
    finally:
        again.stop()


def test_without_redis_nothing_limited_leaves(tmp_path: Path) -> None:
    nowhere = redis.Redis(unix_socket_path=str(tmp_path / "nobody.sock"))

    assert RedisLimiter(lambda: nowhere).reserve([limit()], patience=1).full == limit()


def test_without_limits_redis_is_not_asked(tmp_path: Path) -> None:
    nowhere = redis.Redis(unix_socket_path=str(tmp_path / "nobody.sock"))

    assert RedisLimiter(lambda: nowhere).reserve([], patience=0).wait == 0
