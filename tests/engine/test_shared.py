"""Workers share what a channel learned, and one of them at a time learns it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from channels.optional import SharedStore
from distributor.engine.embedded_redis import EmbeddedRedis
from distributor.engine.shared import RedisStore


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    running = EmbeddedRedis(tmp_path_factory.mktemp("shared") / "redis")
    running.start()
    yield running
    running.stop()


def store_at(socket: Path) -> SharedStore:
    once = Retry(NoBackoff(), 0)
    return RedisStore(lambda: redis.Redis(unix_socket_path=str(socket), retry=once))


def test_what_one_worker_puts_there_the_others_get(server: EmbeddedRedis) -> None:
    store_at(server.socket).put("token:app", "t-1", 60)

    assert store_at(server.socket).get("token:app") == "t-1"
    assert store_at(server.socket).get("token:other") is None


def test_what_is_too_old_is_forgotten(server: EmbeddedRedis) -> None:
    store_at(server.socket).put("token:old", "t-1", 0.001)
    with redis.Redis(unix_socket_path=str(server.socket)) as client:
        while client.pttl("distributor:shared:token:old") > 0:
            pass

    assert store_at(server.socket).get("token:old") is None


def test_one_worker_at_a_time_is_in_the_block(server: EmbeddedRedis) -> None:
    fetched: list[str] = []

    def fetch_once() -> None:
        store = store_at(server.socket)
        with store.lock("token:race", 30):
            if store.get("token:race") is None:
                fetched.append("t-1")
                store.put("token:race", "t-1", 60)

    workers = [threading.Thread(target=fetch_once) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert fetched == ["t-1"]


def test_without_redis_nothing_is_known_and_nobody_waits(tmp_path: Path) -> None:
    store = store_at(tmp_path / "nobody.sock")

    store.put("token", "t-1", 60)
    with store.lock("token", 30):
        assert store.get("token") is None
