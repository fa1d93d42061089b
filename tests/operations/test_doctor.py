"""What `doctor` tells about sources, and `doctor --here` about the processes of this host."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from distributor import settings
from distributor.engine import broker
from distributor.engine.heartbeat import SCHEDULER, worker_role
from distributor.engine.processes import beating, redis_at_hand
from distributor.ledger.database import Ledger
from distributor.operations import doctor
from distributor.operations.doctor import Finding, Health
from distributor.settings import Settings
from tests.support.service import service
from tests.support.waiting import eventually

EMAIL_WORKER = worker_role("email")


@pytest.fixture
def embedded(tmp_path: Path) -> Settings:
    return settings.load(environ={"DISTRIBUTOR_STORAGE_VAR": str(tmp_path)})


@pytest.fixture
def with_redis(embedded: Settings) -> Iterator[Settings]:
    with redis_at_hand(embedded):
        yield embedded


def by_subject(installation: Settings) -> dict[str, Finding]:
    return {finding.subject: finding for finding in doctor.examine_host(installation)}


def is_well(installation: Settings) -> bool:
    return all(f.health is Health.OK for f in by_subject(installation).values())


def test_a_host_with_a_live_worker_is_well(with_redis: Settings) -> None:
    with beating(with_redis, [EMAIL_WORKER]):
        eventually(lambda: is_well(with_redis))
        assert str(os.getpid()) in by_subject(with_redis)[EMAIL_WORKER].message


def test_a_host_with_a_live_scheduler_is_well(with_redis: Settings) -> None:
    with beating(with_redis, [SCHEDULER]):
        eventually(lambda: is_well(with_redis))


def test_a_host_whose_processes_give_no_sign_of_life_is_broken(with_redis: Settings) -> None:
    host = f"host {socket.gethostname()}"
    assert by_subject(with_redis)[host].health is Health.BROKEN


def test_workers_of_other_hosts_do_not_count(with_redis: Settings) -> None:
    with broker.client(with_redis) as client:
        client.set(f"distributor:alive:{EMAIL_WORKER}:another-host:7", "1")
    assert EMAIL_WORKER not in by_subject(with_redis)
    assert not is_well(with_redis)


def test_a_host_that_has_lost_redis_is_broken(embedded: Settings) -> None:
    findings = by_subject(embedded)
    assert findings["redis"].health is not Health.OK
    assert findings[f"host {socket.gethostname()}"].health is Health.BROKEN


def test_a_source_that_cannot_be_reached_is_broken_and_the_others_are_well(tmp_path: Path) -> None:
    config = tmp_path / "distributor.toml"
    config.write_text(
        f'[[sources]]\nname = "here"\nkind = "folder"\npath = "{tmp_path}"\n'
        '[[sources]]\nname = "away"\nkind = "folder"\npath = "/nowhere"\n'
    )
    installation = settings.load(config, {"DISTRIBUTOR_STORAGE_VAR": str(tmp_path / "var")})

    found = {finding.subject: finding for finding in doctor.examine(installation)}

    assert found["source here"].health is Health.OK
    assert found["source away"].health is Health.BROKEN
    assert "the folder /nowhere cannot be read" in found["source away"].message
    assert "distributor watch" in found["watch"].message


def test_a_wrong_clock_is_told_with_what_to_do(with_redis: Settings) -> None:
    with broker.client(with_redis) as client:
        client.set(f"distributor:alive:{EMAIL_WORKER}:fast-host:7", "90.04")
        client.set(f"distributor:alive:{EMAIL_WORKER}:slow-host:7", "-5")
        client.set(f"distributor:alive:{EMAIL_WORKER}:good-host:7", "0.3")
    found = {finding.subject: finding for finding in doctor.examine(with_redis)}
    assert found["clock of fast-host"].health is Health.WARNING
    assert "90.0 seconds ahead of" in found["clock of fast-host"].message
    assert "5.0 seconds behind" in found["clock of slow-host"].message
    assert "NTP" in found["clock of slow-host"].message
    assert "clock of good-host" not in found


@pytest.mark.parametrize(("seconds", "health"), [(3, Health.OK), (95, Health.WARNING)])
def test_the_last_sweep_is_told(with_redis: Settings, seconds: int, health: Health) -> None:
    with broker.client(with_redis) as client:
        now, _ = client.time()
        client.set("distributor:last-sweep", now - seconds)
        for role in (SCHEDULER, worker_role("control")):
            client.set(f"distributor:alive:{role}:somewhere:7", "0")
    found = {finding.subject: finding for finding in doctor.examine(with_redis)}
    assert found["sweeper"].health is health


def test_a_send_that_stands_still_is_named(tmp_path: Path, sqlite_ledger: Ledger) -> None:
    with service(tmp_path, sqlite_ledger) as shop:
        shop.subscribe("email", "a@example.org")
        # The doctor goes by the real time.
        shop.clock.advance_to(datetime.now(UTC) - timedelta(minutes=5))
        send_id = shop.start_and_plan()
        found = {finding.subject: finding for finding in doctor.examine(shop.settings)}
    finding = found[f"send {send_id}"]
    assert finding.health is Health.WARNING
    assert "Nobody takes what is due on email" in finding.message
