"""Real worker processes over a real Redis: queues, shutdown, and a Redis that goes away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from celery import Celery

from distributor.engine import broker, children, courier, embedded_redis, heartbeat
from distributor.engine.app import create_app
from distributor.engine.embedded_redis import EmbeddedRedis
from distributor.engine.heartbeat import worker_role
from distributor.engine.hints import CONTROL_QUEUE, CeleryHints
from distributor.ledger.database import Ledger
from distributor.ledger.hinting import DueBatch
from distributor.ledger.states import SendState
from tests.support.service import Service, service
from tests.support.waiting import eventually

READERS = [f"reader-{number}@example.org" for number in range(20)]
ROBOT = "7d0f6c1e-58a3-4e0b-9a41-c2b3f1d8e601"

Worker = subprocess.Popen[bytes]


class Plant:
    """A shop with a Redis and with worker processes."""

    def __init__(self, shop: Service, server: EmbeddedRedis, app: Celery, folder: Path) -> None:
        self.shop = shop
        self.server = server
        self.hints = CeleryHints(app)
        self._folder = folder
        self._workers: list[Worker] = []

    def start_worker(self, *queues: str) -> Worker:
        """A worker process that shows signs of life."""
        options = [word for queue in queues for word in ("--channel", queue)]
        log = self._folder / f"worker-{'-'.join(queues)}.log"
        command = [sys.executable, "-m", "distributor", "worker", *options]
        worker = children.spawn(command, log=log)
        self._workers.append(worker)
        eventually(lambda: all(worker_role(queue) in self._roles() for queue in queues))
        return worker

    def hint(self, send_id: int, *channels: str) -> None:
        """Queue the send's batches of these channels, in this order."""
        known = self.shop.batches(send_id)
        self.hints.deliver(
            [
                DueBatch(batch.id, batch.channel)
                for channel in channels
                for batch in known
                if batch.channel == channel
            ]
        )

    def queued(self, queue: str) -> int:
        """Messages that wait in `queue`."""
        with broker.client(self.shop.settings) as client:
            return int(client.llen(f"distributor:{queue}"))

    def states(self, send_id: int, channel: str) -> Sequence[str]:
        rows = self.shop.deliveries(send_id).values()
        return [str(row["state"]) for row in rows if row["channel"] == channel]

    def stop(self) -> None:
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.wait()

    def _roles(self) -> set[str]:
        with broker.client(self.shop.settings) as client:
            return set(heartbeat.alive(client))


@pytest.fixture
def plant(
    tmp_path: Path, sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Plant]:
    small = {"DISTRIBUTOR_SENDING_LANES": "1", "DISTRIBUTOR_SENDING_BATCH_SIZE": "5"}
    with service(tmp_path, sqlite_ledger, **small) as shop, hosting(shop) as server:
        # Worker processes go by the real time.
        shop.clock.advance_to(datetime.now(UTC))
        for name, value in shop.environment.items():
            monkeypatch.setenv(name, value)
        with create_app(shop.settings) as app:
            running = Plant(shop, server, app, tmp_path)
            try:
                yield running
            finally:
                running.stop()


@contextmanager
def hosting(shop: Service) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(shop.settings.var / "redis")
    server.start()
    try:
        yield server
    finally:
        server.stop()


def test_a_channels_messages_reach_only_the_workers_of_that_channel(plant: Plant) -> None:
    shop = plant.shop
    shop.subscribe("email", READERS[0])
    shop.subscribe("telegram", "@daily_news")
    shop.subscribe("wechat", ROBOT)
    send_id = shop.start_and_plan()
    workers = {channel: plant.start_worker(channel) for channel in ("email", "telegram")}
    # Each worker takes one message after another: it would come to the first one first.
    plant.hint(send_id, "wechat", "email", "telegram")
    eventually(lambda: all(plant.states(send_id, channel) == ["sent"] for channel in workers))
    assert plant.states(send_id, "wechat") == ["queued"]
    assert plant.queued("wechat") == 1
    assert plant.queued(CONTROL_QUEUE) == 0
    by_channel = {
        e.channel: str(e.worker).rpartition(":")[2] for e in shop.log(send_id) if e.worker
    }
    assert by_channel == {channel: str(worker.pid) for channel, worker in workers.items()}


def test_a_send_goes_from_planning_to_finished_through_workers_alone(plant: Plant) -> None:
    shop = plant.shop
    shop.subscribe("email", *READERS)
    shop.subscribe("wechat", ROBOT)
    send_id = shop.start()
    plant.start_worker(CONTROL_QUEUE, "email", "wechat")
    plant.hints.prepare([send_id])
    eventually(lambda: shop.send(send_id).state is SendState.FINISHED)
    assert shop.counts(send_id) == {"sent": len(READERS) + 1}
    assert shop.copies("smtp") == dict.fromkeys(READERS, 1)


def test_a_worker_ends_within_seconds_of_sigterm_and_hands_its_batch_back(plant: Plant) -> None:
    shop = plant.shop
    shop.platforms.misbehave("smtp", "slow", seconds=0.2)
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    worker = plant.start_worker("email")
    plant.hint(send_id, "email")
    eventually(lambda: shop.platforms.received("smtp"))
    worker.terminate()
    assert worker.wait(10) == 0
    assert set(shop.counts(send_id)) == {"sent", "queued"}
    assert len(shop.platforms.received("smtp")) == shop.counts(send_id)["sent"]
    assert [batch.lease_token for batch in shop.batches(send_id)] == [None] * 4


def test_a_worker_goes_on_after_redis_was_killed_under_load(plant: Plant) -> None:
    shop = plant.shop
    shop.platforms.misbehave("smtp", "slow", seconds=0.1)
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    worker = plant.start_worker("email")
    plant.hint(send_id, "email")
    eventually(lambda: shop.platforms.received("smtp"))
    with redis.Redis(unix_socket_path=str(plant.server.socket)) as client:
        os.kill(int(client.info("server")["process_id"]), signal.SIGKILL)
    eventually(lambda: embedded_redis.answers(plant.server.socket))
    plant.hint(send_id, "email")
    eventually(lambda: shop.send(send_id).state is SendState.FINISHED)
    assert shop.copies("smtp") == dict.fromkeys(READERS, 1)

    shop.platforms.behave()
    again = shop.start_and_plan(again=True)
    plant.hint(again, "email")
    eventually(lambda: shop.send(again).state is SendState.FINISHED)
    assert worker.poll() is None


def test_a_hint_stays_in_redis_until_its_task_is_done(shop: Service) -> None:
    with create_app(shop.settings) as app:
        conf = app.conf

    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    again_after = conf.broker_transport_options["visibility_timeout"]
    assert again_after > courier.LONGEST_TASK_SECONDS, "a task must not be given out twice"


def test_no_results_are_kept(shop: Service) -> None:
    with create_app(shop.settings) as app:
        assert app.conf.task_ignore_result
        assert app.conf.result_backend is None


def test_hints_wait_until_they_are_taken_up(plant: Plant) -> None:
    assert plant.hints.waiting(["email"]) == {"email": 0}
    plant.hints.deliver([DueBatch(1, "email"), DueBatch(2, "telegram"), DueBatch(3, "email")])
    assert plant.hints.waiting(["email", "telegram"]) == {"email": 2, "telegram": 1}


def test_a_hint_does_not_expire_by_the_clock_of_whoever_takes_it_up(plant: Plant) -> None:
    plant.hints.deliver([DueBatch(1, "email")])
    with broker.client(plant.shop.settings) as client:
        (message,) = client.lrange("distributor:email", 0, -1)
    assert json.loads(message)["headers"]["expires"] is None


def test_queues_cannot_be_measured_without_redis(plant: Plant) -> None:
    plant.server.stop()
    assert plant.hints.waiting(["email"]) == {}


def test_hints_that_redis_cannot_take_are_left_to_the_sweeper(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    plant.server.stop()
    with caplog.at_level("INFO"):
        plant.hints.prepare([1])
    assert "1 hints were not queued, the sweeper will" in caplog.text
