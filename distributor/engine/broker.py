"""Where Redis is: the configured one, or the embedded one of this storage folder."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from distributor.engine import embedded_redis
from distributor.engine.embedded_redis import RedisUnavailable
from distributor.settings import Settings

if TYPE_CHECKING:
    # Loading it takes longer than most commands that do without.
    from redis import Redis

_TIMEOUT_SECONDS = 5
#: A key that is always there, but in a Redis that was emptied.
_MARK = "distributor:not-empty"


def url(settings: Settings) -> str:
    """The Redis URL as Celery takes it."""
    if settings.is_embedded_redis:
        socket = embedded_redis.socket_path(settings.var / "redis")
        return f"redis+socket://{socket}"
    return settings.redis.url.get_secret_value()


def client(settings: Settings, timeout: float = _TIMEOUT_SECONDS) -> Redis:
    """A client for our own keys; connects when first used, and tries everything once only.

    `timeout`: seconds for connecting, and for each answer.
    """
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    once = Retry(NoBackoff(), 0)
    if settings.is_embedded_redis:
        socket = embedded_redis.socket_path(settings.var / "redis")
        return Redis(unix_socket_path=str(socket), socket_timeout=timeout, retry=once)
    return Redis.from_url(
        settings.redis.url.get_secret_value(),
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=once,
    )


def was_emptied(connection: Redis) -> bool:
    """Whether Redis lost its data since the last call by anybody; False when it does not answer."""
    from redis import RedisError

    try:
        return bool(connection.set(_MARK, "1", nx=True))
    except RedisError:
        return False


def check(settings: Settings) -> str:
    """A sentence about the Redis that answered. Raises `RedisUnavailable`."""
    from redis import RedisError

    try:
        with client(settings) as connection:
            info = connection.info("server")
    except (RedisError, ValueError) as error:
        raise RedisUnavailable(_unreachable(settings, error)) from error
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = info.get("valkey_version") or info.get("redis_version")
    where = "embedded" if settings.is_embedded_redis else "configured"
    return f"{name} {version}, {where}"


def _unreachable(settings: Settings, error: Exception) -> str:
    if settings.is_embedded_redis:
        return "the embedded Redis is not running; start everything with: distributor up"
    from redis import exceptions

    # The error may repeat the URL with its password: only its kind is told.
    match error:
        case exceptions.AuthenticationError():
            words = "it refuses the password"
        case exceptions.ConnectionError():
            words = "no connection"
        case exceptions.TimeoutError():
            words = f"no answer within {_TIMEOUT_SECONDS} seconds"
        case _:
            words = type(error).__name__
    return (
        f"Redis at {_place(settings)} cannot be used: {words}. "
        "Check redis.url (DISTRIBUTOR_REDIS_URL) and that the server is running."
    )


def _place(settings: Settings) -> str:
    """Host and port of the configured Redis, without credentials."""
    parts = urlsplit(settings.redis.url.get_secret_value())
    return f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
