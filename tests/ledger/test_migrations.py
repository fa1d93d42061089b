"""The schema's version is told without loading Alembic, and the same as Alembic tells it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from distributor.ledger import migrations
from distributor.ledger.database import Ledger

FOLDER = Path(migrations.__file__).parent


def test_the_newest_revision_is_the_head_of_the_history() -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.newest()]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_is_current_once_it_was_opened(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    file = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = Ledger(file if kind == "sqlite" else request.getfixturevalue("postgres_url"))
    with ledger.read() as connection:
        assert not migrations.is_current(connection)
    ledger.open()
    with ledger.read() as connection:
        assert migrations.is_current(connection)
    ledger.close()


def test_a_database_of_another_revision_is_not_current(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}").open()
    with ledger.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))
    with ledger.read() as connection:
        assert not migrations.is_current(connection)
    ledger.close()


def test_opening_a_current_ledger_does_not_load_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    Ledger(url).open().close()
    program = (
        "import sys; from distributor.ledger.database import Ledger; "
        f"Ledger({url!r}).open().close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
