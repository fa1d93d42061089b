"""A worker whose acknowledgement did not reach Redis still takes the next task."""

from __future__ import annotations

from pathlib import Path

import pytest
from kombu import Connection
from redis.exceptions import ConnectionError as RedisGone

from distributor.engine import embedded_redis, transport
from distributor.engine.embedded_redis import EmbeddedRedis


def test_a_message_that_could_not_be_acknowledged_makes_room_for_the_next(tmp_path: Path) -> None:
    transport.register()
    server = EmbeddedRedis(tmp_path)
    server.start()
    with Connection(f"redis+socket://{embedded_redis.socket_path(tmp_path)}") as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1)
        queue = connection.SimpleQueue("tasks", channel=channel)
        queue.put("work")
        message = queue.get(timeout=5)
        assert not channel.qos.can_consume()

        server.stop()
        with pytest.raises(RedisGone):
            message.ack()

        assert channel.qos.can_consume()
        # What is left of the connection would be closed politely, by asking Redis.
        connection.collect()
