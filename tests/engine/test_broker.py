"""What Redis may lose, and how that is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from distributor.engine import broker
from distributor.engine.embedded_redis import EmbeddedRedis


@pytest.fixture
def client(tmp_path: Path) -> Iterator[redis.Redis]:
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    with redis.Redis(unix_socket_path=str(server.socket)) as connected:
        yield connected
    server.stop()


def test_an_emptied_redis_is_noticed_once(client: redis.Redis) -> None:
    broker.was_emptied(client)
    assert not broker.was_emptied(client)

    client.flushall()

    assert broker.was_emptied(client)
    assert not broker.was_emptied(client)


def test_a_redis_that_is_away_was_not_emptied(tmp_path: Path) -> None:
    assert not broker.was_emptied(redis.Redis(unix_socket_path=str(tmp_path / "nobody.sock")))
