"""Celery's way over Redis, made to survive a Redis that dies while every lane is busy.

kombu counts a message as being worked on until its acknowledgement has reached Redis. One that
fails is counted for ever: once that is as many as the worker may have at a time, it takes no more
tasks, though Redis is back and the process looks alive.
"""

from __future__ import annotations

from kombu.transport import TRANSPORT_ALIASES, redis


class _QoS(redis.QoS):  # type: ignore[misc] # kombu is untyped
    def ack(self, delivery_tag: str) -> None:
        """Acknowledge; when Redis is away it will bring the message again, which does no harm."""
        try:
            super().ack(delivery_tag)
        except Exception:
            self._quick_ack(delivery_tag)
            raise


class _Channel(redis.Channel):  # type: ignore[misc] # kombu is untyped
    QoS = _QoS


class Transport(redis.Transport):  # type: ignore[misc] # kombu is untyped
    """kombu's Redis transport, with acknowledgements that may fail."""

    Channel = _Channel


def register() -> None:
    """Use it for every Redis URL of this process."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
