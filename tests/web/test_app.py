from __future__ import annotations

import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from distributor.ledger import database
from distributor.ledger.database import Ledger
from distributor.operations.roster import Roster
from distributor.web import health
from tests.support import postgres
from tests.support.proxy import database_socket, freezing_proxy, through
from tests.web.conftest import Site


def without_ledger(tmp_path: Path) -> Site:
    """A site whose database file is a folder."""
    return Site(Ledger(f"sqlite:///{tmp_path}"))


def test_health_says_that_the_process_is_up(site: Site) -> None:
    assert site.get("/healthz").json() == {"status": "up"}


def test_ready_says_that_the_ledger_can_be_used(site: Site) -> None:
    answer = site.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "schema": "current", "redis": "answers"}


def test_it_is_ready_without_redis_and_says_so(site: Site) -> None:
    site.roster = Roster(False)
    answer = site.get("/readyz")
    assert (answer.status_code, answer.json()["redis"]) == (200, "does not answer")


def test_a_ledger_of_another_version_is_not_ready_and_says_why(site: Site) -> None:
    with site.ledger.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    answer = site.get("/readyz")
    assert (answer.status_code, answer.json()["schema"]) == (503, "not current")


def test_without_its_ledger_it_is_up_and_not_ready(tmp_path: Path) -> None:
    site = without_ledger(tmp_path)
    assert site.get("/healthz").status_code == 200
    answer = site.get("/readyz")
    assert answer.status_code == 503
    assert str(tmp_path) not in answer.text


def test_a_database_that_hangs_is_soon_told(
    migrated_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_PATIENCE_SECONDS", 0.3)
    with freezing_proxy(database_socket(migrated_database)) as proxy:
        site = Site(Ledger(through(proxy, migrated_database)))
        assert site.get("/readyz").status_code == 200
        proxy.freeze(new_ones_too=True)
        began = time.monotonic()
        assert site.get("/readyz").status_code == 503
        assert site.get("/healthz").status_code == 200
        assert time.monotonic() - began < 2.5
        site.ledger.close()


def test_a_ledger_without_tables_is_not_ready(tmp_path: Path) -> None:
    site = Site(Ledger(f"sqlite:///{tmp_path}/new.db"))
    assert site.get("/readyz").status_code == 503
    site.ledger.close()


def test_a_database_that_goes_away_under_a_page_asks_to_come_back(
    postgres_ledger: Ledger, migrated_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_TRY_AFTER_SECONDS", 3600)
    site = Site(postgres_ledger)
    site.get("/sends/1")
    postgres.end_connections(migrated_database)
    answer = site.get("/sends/1")
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


@pytest.mark.parametrize("path", ["/", "/sends/1", "/editions/" + "0" * 16])
def test_without_its_ledger_pages_ask_to_come_back(tmp_path: Path, path: str) -> None:
    answer = without_ledger(tmp_path).get(path)
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    assert "Not available right now" in answer.text
    assert str(tmp_path) not in answer.text


def test_an_error_of_ours_shows_a_page_and_no_traceback(tmp_path: Path) -> None:
    site = Site(Ledger(f"sqlite:///{tmp_path}/without-tables.db"))
    answer = site.get("/")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert "sqlite" not in answer.text.lower()
    site.ledger.close()


def test_an_unknown_path_gets_a_page_in_the_readers_language(site: Site) -> None:
    chinese = site.get("/nothing", **{"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"})
    english = site.get("/nothing")
    assert chinese.status_code == english.status_code == 404
    assert "这里没有内容" in chinese.text
    assert "There is nothing here" in english.text


def test_a_method_that_a_page_does_not_take_is_named(site: Site) -> None:
    answer = site.post("/")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert "cannot be handled" in answer.text


@pytest.mark.parametrize("path", ["/", "/nothing", "/unsubscribe/x"])
def test_every_page_forbids_scripts_frames_and_referrers(site: Site, path: str) -> None:
    headers = site.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
