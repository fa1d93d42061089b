"""A short drill: programs are killed and everything misbehaves, and nobody is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from distributor.audience import lists, subscribers
from distributor.ledger.database import Ledger
from tests.acceptance.conftest import NewMachine
from tests.acceptance.machine import Machine

pytestmark = pytest.mark.slow


@pytest.fixture
def drills() -> Iterator[Path]:
    """Where drills keep what they leave: not so deep that a socket's path would be too long."""
    with TemporaryDirectory(prefix="drills-") as folder:
        yield Path(folder)


@pytest.fixture
def machine(new_machine: NewMachine, drills: Path) -> Machine:
    return new_machine(TMPDIR=str(drills))


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_drill_loses_nobody_and_leaves_nothing_behind(
    request: pytest.FixtureRequest, machine: Machine, drills: Path, database: str
) -> None:
    options: list[object] = ["--recipients", 150, "--kills", 3, "--seed", 8, "--json"]
    if database == "postgresql":
        options += ["--database", request.getfixturevalue("postgres_url")]

    done = machine.run("drill", *options)

    assert done.code == 0, done.out + done.err
    report = done.json
    assert (report["passed"], report["findings"]) == (True, [])
    assert (report["lost"], report["wrong"], report["state"]) == (0, 0, "finished")
    assert report["database"] == database
    assert sum(one["kill"] for one in report["blows"]) == 3
    assert sum(one["intended"] for one in report["channels"].values()) == 150
    assert list(drills.iterdir()) == []


def test_a_ledger_that_is_in_use_is_left_alone(
    machine: Machine, drills: Path, postgres_url: str
) -> None:
    ledger = Ledger(postgres_url).open()
    with ledger.write() as connection:
        lists.create(connection, "daily")
        subscribers.add(connection, channel="email", address="a@news.dev", list_names=["daily"])
    ledger.close()

    done = machine.run("drill", "--database", postgres_url)

    assert done.code == 1
    assert "needs an empty database of its own" in done.err
    assert list(drills.iterdir()) == []


def test_a_database_that_is_not_postgresql_is_wrong_usage(machine: Machine) -> None:
    done = machine.run("drill", "--database", "sqlite:////tmp/ledger.db")

    assert done.code == 2
    assert "--database wants an empty PostgreSQL database" in done.err
