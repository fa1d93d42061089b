"""What processes count is added up in Redis, and never in a delivery's way."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import redis

from channels.base import RateLimit
from distributor.engine import counters
from distributor.engine.counters import (
    ATTEMPTS,
    LEASES_LOST,
    RATE_WAITS,
    Counters,
    code_class,
    flushing,
)
from distributor.engine.embedded_redis import EmbeddedRedis
from distributor.engine.limits import Room
from distributor.ledger import batches
from tests.support.service import NoLimits, Service
from tests.support.waiting import eventually


@pytest.fixture
def client(tmp_path: Path) -> Iterator[redis.Redis]:
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    with redis.Redis(unix_socket_path=str(server.socket)) as connected:
        yield connected
    server.stop()


@pytest.fixture
def away(tmp_path: Path) -> Iterator[redis.Redis]:
    """A Redis that does not run."""
    with redis.Redis(unix_socket_path=str(tmp_path / "nothing.sock"), retry=None) as connected:
        yield connected


def test_processes_are_added_up_by_labels(client: redis.Redis) -> None:
    for _ in range(2):
        process = Counters()
        process.add(ATTEMPTS, "email", "sent", "ok", by=5)
        process.add(ATTEMPTS, "telegram", "failed", "tg-403")
        process.flush(client)
    assert counters.read(client, ATTEMPTS) == {
        ("email", "sent", "ok"): 10,
        ("telegram", "failed", "tg-403"): 2,
    }


def test_nothing_is_told_twice(client: redis.Redis) -> None:
    process = Counters()
    process.add(LEASES_LOST, "email")
    process.flush(client)
    process.flush(client)
    assert counters.read(client, LEASES_LOST) == {("email",): 1}


def test_threads_lose_no_count(client: redis.Redis) -> None:
    process = Counters()

    def count() -> None:
        for _ in range(2000):
            process.add(ATTEMPTS, "email", "sent", "ok")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        process.flush(client)
    process.flush(client)
    assert counters.read(client, ATTEMPTS) == {("email", "sent", "ok"): 8000}


def test_without_redis_nothing_fails_and_it_is_told_later(
    client: redis.Redis, away: redis.Redis
) -> None:
    process = Counters()
    process.add(LEASES_LOST, "email")
    process.flush(away)
    process.add(LEASES_LOST, "email")
    process.flush(client)
    assert counters.read(client, LEASES_LOST) == {("email",): 2}


def test_it_is_told_while_the_process_runs_and_at_its_end(client: redis.Redis) -> None:
    process = Counters()
    with flushing(process, client):
        process.add(LEASES_LOST, "email")
        eventually(lambda: counters.read(client, LEASES_LOST) == {("email",): 1})
        process.add(LEASES_LOST, "email")
    assert counters.read(client, LEASES_LOST) == {("email",): 2}


def test_every_try_is_counted_by_what_came_of_it(shop: Service, client: redis.Redis) -> None:
    shop.subscribe("email", "a@readers.example", "b@readers.example")
    shop.platforms.misbehave("smtp", "reject", match="b@", code="550", text="5.1.1 no")
    shop.deliver(shop.start_and_plan())
    shop.context.counters.flush(client)
    assert counters.read(client, ATTEMPTS) == {
        ("email", "failed", "smtp-550"): 1,
        ("email", "sent", "ok"): 1,
    }


def test_a_batch_that_was_not_given_back_is_counted(shop: Service, client: redis.Redis) -> None:
    shop.subscribe("email", "a@readers.example")
    send_id = shop.start_and_plan()
    (batch,) = shop.batches(send_id)
    with shop.ledger.write() as connection:
        lease = shop.context.leases.lease
        batches.claim(connection, batch.id, worker="w", at=shop.clock(), lease=lease)
    shop.clock.advance(seconds=lease.total_seconds() + 1)
    shop.deliver(send_id)
    shop.context.counters.flush(client)
    assert counters.read(client, LEASES_LOST) == {("email",): 1}


class Full(NoLimits):
    """A limiter whose bucket for the account is full."""

    def reserve(self, limits: Sequence[RateLimit], patience: float) -> Room:  # noqa: ARG002
        return Room(1, full=RateLimit("account:relay", 1, 1, is_account_wide=True))


def test_a_message_that_a_limit_held_back_is_counted(shop: Service, client: redis.Redis) -> None:
    shop.subscribe("email", "a@readers.example")
    held_back = shop.another_process(limiter=Full())
    held_back.deliver(shop.start_and_plan())
    held_back.context.counters.flush(client)
    assert counters.read(client, RATE_WAITS) == {("relay", "account"): 1}


@pytest.mark.parametrize(
    ("code", "of_class"),
    [
        ("smtp-550-5.1.1", "smtp-550"),
        ("tg-403-blocked", "tg-403"),
        ("wecom-93000", "wecom-93000"),
        ("ok", "ok"),
    ],
)
def test_codes_are_counted_by_their_first_two_words(code: str, of_class: str) -> None:
    assert code_class(code) == of_class
