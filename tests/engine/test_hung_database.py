"""Worker processes over a PostgreSQL that hangs, or that a firewall cuts off without a word."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from distributor.engine.app import create_app
from distributor.ledger.database import Ledger
from distributor.ledger.states import SendState
from tests.engine.test_celery import Plant, hosting
from tests.support.proxy import FreezingProxy, database_socket, freezing_proxy, through
from tests.support.service import service
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

READERS = [f"reader-{number}@example.org" for number in range(20)]


@pytest.fixture
def proxy(migrated_database: str) -> Iterator[FreezingProxy]:
    with freezing_proxy(database_socket(migrated_database)) as running:
        yield running


@contextmanager
def at_work(
    folder: Path,
    ledger: Ledger,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    lease_seconds: float,
) -> Iterator[tuple[Plant, int]]:
    """A plant whose workers reach the ledger at `url`, and a send that goes out slowly."""
    small = {
        "DISTRIBUTOR_SENDING_LANES": "1",
        "DISTRIBUTOR_SENDING_BATCH_SIZE": "20",
        "DISTRIBUTOR_SENDING_LEASE_SECONDS": str(lease_seconds),
    }
    with service(folder, ledger, **small) as shop, hosting(shop) as server:
        shop.clock.advance_to(datetime.now(UTC))
        for name, value in {**shop.environment, "DISTRIBUTOR_DATABASE_URL": url}.items():
            monkeypatch.setenv(name, value)
        shop.subscribe("email", *READERS)
        shop.platforms.misbehave("smtp", "slow", seconds=0.1)
        with create_app(shop.settings) as app:
            plant = Plant(shop, server, app, folder)
            try:
                yield plant, shop.start_and_plan()
            finally:
                plant.stop()


def test_a_worker_goes_on_over_new_connections(
    tmp_path: Path,
    postgres_ledger: Ledger,
    migrated_database: str,
    proxy: FreezingProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = through(proxy, migrated_database)
    with at_work(tmp_path, postgres_ledger, url, monkeypatch, lease_seconds=10) as (plant, send_id):
        plant.start_worker("email")
        plant.hint(send_id, "email")
        eventually(lambda: plant.shop.platforms.received("smtp"))
        proxy.freeze()
        eventually(lambda: plant.shop.send(send_id).state is SendState.FINISHED, within=30)
        assert plant.shop.copies("smtp") == dict.fromkeys(READERS, 1)


def test_a_worker_that_waits_for_a_dead_database_ends_within_seconds_of_sigterm(
    tmp_path: Path,
    postgres_ledger: Ledger,
    migrated_database: str,
    proxy: FreezingProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = through(proxy, migrated_database)
    with at_work(tmp_path, postgres_ledger, url, monkeypatch, lease_seconds=600) as (plant, send):
        worker = plant.start_worker("email")
        plant.hint(send, "email")
        eventually(lambda: plant.shop.platforms.received("smtp"))
        proxy.freeze(new_ones_too=True)
        worker.terminate()
        worker.wait(15)
