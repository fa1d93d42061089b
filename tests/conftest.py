"""Real databases for every room's tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from distributor.ledger.database import Ledger
from distributor.ledger.tables import metadata
from tests.support import postgres
from tests.support.postgres import PostgresMissing, PostgresServer


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server of this test process. Skips where there is none, but fails on CI."""
    try:
        with postgres.running() as server:
            yield server
    except PostgresMissing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def migrated_database(postgres_server: PostgresServer) -> str:
    """The URL of a database with the schema, which tests use one after another."""
    url = postgres_server.url(postgres_server.create_database())
    Ledger(url).open().close()
    return url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema and no rows; copying it is faster than migrating again."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    Ledger(f"sqlite:///{path}").open().close()
    return path


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a new database without a schema."""
    name = postgres_server.create_database()
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture
def postgres_ledger(migrated_database: str) -> Iterator[Ledger]:
    postgres.empty(migrated_database, metadata)
    opened = Ledger(migrated_database)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_ledger(tmp_path: Path, migrated_file: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'ledger.db')}")
    yield opened
    opened.close()


# What PostgreSQL makes of a statement does not depend on the Python that asks it.
@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """A ledger with the schema and no rows; its test runs once on each database."""
    kind = {"sqlite": "sqlite_ledger", "postgresql": "postgres_ledger"}[request.param]
    opened: Ledger = request.getfixturevalue(kind)
    return opened
