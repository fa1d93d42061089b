"""A PostgreSQL that hangs, or a network that swallows what is sent: nobody waits for ever."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from distributor.ledger import database, patience
from distributor.ledger.database import Ledger, LedgerUnavailable
from distributor.ledger.patience import Patience
from tests.support.proxy import FreezingProxy, database_socket, freezing_proxy, through

pytestmark = pytest.mark.slow


@pytest.fixture
def proxy(migrated_database: str) -> Iterator[FreezingProxy]:
    with freezing_proxy(database_socket(migrated_database)) as running:
        yield running


@pytest.fixture
def far(proxy: FreezingProxy, migrated_database: str) -> Iterator[Ledger]:
    """A ledger behind the proxy."""
    opened = Ledger(through(proxy, migrated_database))
    yield opened
    opened.close()


def a_word_from(ledger: Ledger) -> int:
    with ledger.read() as c:
        said: int = c.execute(sa.select(1)).scalar_one()
    return said


def hang(ledger: Ledger, proxy: FreezingProxy, hangs: threading.Event | None = None) -> None:
    """Ask something that is never answered; `hangs` is set just before."""
    with ledger.write() as c:
        proxy.freeze()
        if hangs is not None:
            hangs.set()
        c.execute(sa.select(1))


def driver_options(url: str) -> dict[str, str]:
    ledger = Ledger(url)
    try:
        with ledger.engine.connect() as c:
            driver = c.connection.driver_connection
            assert driver is not None
            parameters: dict[str, str] = driver.info.get_parameters()
    finally:
        ledger.close()
    return parameters


class TestATransaction:
    def test_that_hangs_ends_as_a_lost_connection(self, far: Ledger, proxy: FreezingProxy) -> None:
        with far.patience(0.2), pytest.raises(OperationalError):
            hang(far, proxy)
        assert a_word_from(far) == 1

    def test_that_hangs_ends_after_the_ledger_was_closed_and_used_again(self) -> None:
        limits = Patience()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            with limits.watched(ours, 30):
                limits.close()
            ours.settimeout(5)
            with limits.watched(ours, 0.1):
                assert ours.recv(1) == b""
        limits.close()

    def test_that_takes_less_than_it_may_is_left_alone(self, far: Ledger) -> None:
        with far.patience(30), far.write() as c:
            c.execute(sa.text("SELECT pg_sleep(0.3)"))
        assert a_word_from(far) == 1

    def test_without_a_limit_may_take_as_long_as_it_takes(self, far: Ledger) -> None:
        with far.patience(0.1):
            pass
        far.hurry(0.1)
        with far.write() as c:
            c.execute(sa.text("SELECT pg_sleep(0.6)"))

    def test_has_the_least_of_the_limits_around_it(self, far: Ledger, proxy: FreezingProxy) -> None:
        with far.patience(0.2), far.patience(3600), pytest.raises(OperationalError):
            hang(far, proxy)

    def test_is_not_limited_by_another_thread(self, far: Ledger) -> None:
        def sleep() -> None:
            with far.write() as c:
                c.execute(sa.text("SELECT pg_sleep(0.6)"))

        with far.patience(0.1), ThreadPoolExecutor(1) as pool:
            pool.submit(sleep).result()

    def test_that_hangs_ends_when_the_process_should(
        self, far: Ledger, proxy: FreezingProxy
    ) -> None:
        hangs = threading.Event()

        def wait_long() -> None:
            with far.patience(3600):
                hang(far, proxy, hangs)

        with ThreadPoolExecutor(1) as pool:
            hanging = pool.submit(wait_long)
            assert hangs.wait(10)
            far.hurry(0.2)
            with pytest.raises(OperationalError):
                hanging.result(10)


class TestConnections:
    def test_at_rest_that_have_died_are_replaced(
        self, far: Ledger, proxy: FreezingProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database, "_TRY_AFTER_SECONDS", 0)
        monkeypatch.setattr(database, "_PING_SECONDS", 0.2)
        assert a_word_from(far) == 1
        proxy.freeze()
        assert a_word_from(far) == 1

    def test_to_a_server_that_hangs_are_given_up(
        self, proxy: FreezingProxy, migrated_database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(patience, "_CONNECT_SECONDS", 2)
        proxy.freeze(new_ones_too=True)
        ledger = Ledger(through(proxy, migrated_database))
        with pytest.raises(LedgerUnavailable):
            a_word_from(ledger)
        ledger.close()

    def test_count_as_lost_when_nothing_is_heard(self, migrated_database: str) -> None:
        options = driver_options(migrated_database)
        assert options["tcp_user_timeout"] == "15000"
        assert options["keepalives_idle"] == "10"
        assert options["keepalives_interval"] == "5"
        assert options["keepalives_count"] == "3"

    def test_go_by_the_limits_of_the_url(self, migrated_database: str) -> None:
        options = driver_options(f"{migrated_database}&tcp_user_timeout=7000&connect_timeout=9")
        assert (options["tcp_user_timeout"], options["connect_timeout"]) == ("7000", "9")
        assert options["keepalives_idle"] == "10"
