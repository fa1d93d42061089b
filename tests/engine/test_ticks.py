"""How often the scheduler's tasks run, whatever the clocks say and however many ticks wait."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from distributor import settings
from distributor.engine import broker, ticker, ticks
from distributor.engine.app import add_tasks, create_app
from distributor.engine.hints import CONTROL_QUEUE, DROP_OLD_ATTEMPTS, SWEEP
from distributor.engine.processes import redis_at_hand
from distributor.ledger.database import Ledger
from distributor.ledger.states import SendState
from tests.support.service import Service, service


@pytest.fixture
def shop(tmp_path: Path, sqlite_ledger: Ledger) -> Iterator[Service]:
    keep = {"DISTRIBUTOR_RETENTION_ATTEMPTS_DAYS": "30"}
    with service(tmp_path, sqlite_ledger, **keep) as running, redis_at_hand(running.settings):
        yield running


@pytest.fixture
def redis(shop: Service) -> Iterator[Redis]:
    with broker.client(shop.settings) as client:
        yield client


@pytest.fixture
def app(shop: Service) -> Iterator[Celery]:
    with create_app(shop.settings) as app:
        add_tasks(app, shop.context)
        yield app


def waiting(redis: Redis) -> int:
    return int(redis.llen(f"distributor:{CONTROL_QUEUE}"))


def tick(app: Celery) -> None:
    """As the scheduler does at every tick of the sweeper."""
    scheduler = ticker.Ticker(app)
    scheduler.apply_entry(scheduler.schedule[SWEEP], producer=scheduler.producer)


def run_sweep(app: Celery) -> None:
    app.tasks[SWEEP].run()


def test_no_tick_expires_by_the_clock_of_whoever_takes_it_up(app: Celery) -> None:
    assert {SWEEP, DROP_OLD_ATTEMPTS} <= app.conf.beat_schedule.keys()
    for entry in app.conf.beat_schedule.values():
        assert "expires" not in entry["options"]


def test_ticks_that_piled_up_cost_one_sweep(app: Celery, shop: Service) -> None:
    shop.subscribe("email", "a@example.org")
    run_sweep(app)
    send_id = shop.start(at=shop.clock() + timedelta(minutes=1))
    shop.clock.advance(minutes=2)
    for _ in range(5):
        run_sweep(app)
    assert shop.send(send_id).state is SendState.SCHEDULED


def test_the_next_sweep_runs_when_its_time_has_come(redis: Redis) -> None:
    assert ticks.may_begin(redis, SWEEP, 30)
    assert not ticks.may_begin(redis, SWEEP, 30)
    redis.delete(*redis.keys("distributor:begun:*"))
    assert ticks.may_begin(redis, SWEEP, 30)


def test_a_tick_that_comes_a_moment_early_is_not_left_out(redis: Redis) -> None:
    assert ticks.may_begin(redis, SWEEP, 2)
    (key,) = redis.keys("distributor:begun:*")
    assert 0 < redis.pttl(key) <= 1500


def test_tasks_do_not_count_for_each_other(redis: Redis) -> None:
    assert ticks.may_begin(redis, "one", 30)
    assert ticks.may_begin(redis, "other", 30)


def test_without_redis_a_task_runs(tmp_path: Path) -> None:
    elsewhere = settings.load(environ={"DISTRIBUTOR_STORAGE_VAR": str(tmp_path)})
    with broker.client(elsewhere) as nobody:
        assert ticks.may_begin(nobody, SWEEP, 30)
        assert ticks.may_begin(nobody, SWEEP, 30)


def test_the_end_of_a_sweep_is_remembered(app: Celery, redis: Redis) -> None:
    assert ticks.seconds_since_sweep(redis) is None
    run_sweep(app)
    since = ticks.seconds_since_sweep(redis)
    assert since is not None
    assert since < 30


def test_a_sweep_that_fails_is_not_remembered(
    app: Celery, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("distributor.engine.sweeper.sweep", fail)
    with pytest.raises(RuntimeError):
        run_sweep(app)
    assert ticks.seconds_since_sweep(redis) is None


def test_the_time_since_a_sweep_is_told_by_the_clock_of_redis(redis: Redis) -> None:
    ticks.sweep_ended(redis)
    long_ago = float(redis.get("distributor:last-sweep") or 0) - 100
    redis.set("distributor:last-sweep", long_ago)
    since = ticks.seconds_since_sweep(redis)
    assert since == pytest.approx(100, abs=20)


def test_the_scheduler_adds_no_ticks_to_a_queue_that_nobody_empties(
    app: Celery, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticker, "_MOST_WAITING", 3)
    for _ in range(5):
        tick(app)
    assert waiting(redis) == 3
