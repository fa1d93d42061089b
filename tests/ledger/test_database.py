from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import OperationalError

from distributor.ledger import database, migrations
from distributor.ledger.database import Ledger, LedgerUnavailable
from distributor.ledger.tables import lists, metadata
from tests.ledger.scene import AT
from tests.support import postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A ledger that nobody has opened yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/a folder/ledger.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


def unavailable(url: str) -> str:
    """What opening the ledger there says, which is one line."""
    with pytest.raises(LedgerUnavailable) as caught:
        Ledger(url).open()
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    return said


def a_word_from(ledger: Ledger) -> int:
    with ledger.read() as c:
        said: int = c.execute(sa.select(1)).scalar_one()
    return said


def end_all_connections(ledger: Ledger, url: str) -> None:
    """Leave the pool with connections of which the server knows nothing any more."""
    with ledger.read() as one, ledger.read() as other:
        for c in (one, other):
            assert c.execute(sa.select(1)).scalar() == 1
    postgres.end_connections(url)


class TestTheSchema:
    # PostgreSQL tells the expression in a form of its own.
    @pytest.mark.filterwarnings("ignore:Computed default on deliveries.notable")
    def test_built_by_migrations_it_is_the_one_that_the_tables_describe(
        self, ledger: Ledger
    ) -> None:
        with ledger.read() as c:
            # Alembic takes an empty default that it reads from SQLite for a different one.
            options = {"compare_type": True, "compare_server_default": not ledger.is_sqlite}
            context = MigrationContext.configure(c, opts=options)
            assert compare_metadata(context, metadata) == []

    def test_opening_a_new_ledger_builds_it(self, new_url: str) -> None:
        ledger = Ledger(new_url).open()
        with ledger.read() as c:
            assert migrations.is_current(c)
        ledger.close()

    def test_opening_again_keeps_everything(self, ledger: Ledger) -> None:
        with ledger.write() as c:
            c.execute(sa.insert(lists).values(name="daily", created_at=AT))
        ledger.open()
        with ledger.read() as c:
            assert c.scalars(sa.select(lists.c.name)).all() == ["daily"]

    def test_upgrading_the_newest_schema_changes_nothing(self, ledger: Ledger) -> None:
        with ledger.write() as c:
            migrations.upgrade(c)
            assert migrations.is_current(c)

    def test_threads_may_open_a_new_ledger_at_once(self, new_url: str) -> None:
        def open_it(_: int) -> None:
            Ledger(new_url).open().close()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(open_it, range(8)))

    def test_processes_may_open_a_new_ledger_at_once(self, new_url: str) -> None:
        program = (
            "import sys; from distributor.ledger.database import Ledger as L; L(sys.argv[1]).open()"
        )
        running = [
            subprocess.Popen([sys.executable, "-c", program, new_url], stderr=subprocess.PIPE)
            for _ in range(4)
        ]
        said = [process.communicate(timeout=60)[1] for process in running]
        assert said == [b""] * 4


class TestTransactions:
    def test_a_block_that_fails_leaves_nothing_behind(self, ledger: Ledger) -> None:
        with pytest.raises(sa.exc.IntegrityError), ledger.write() as c:
            c.execute(sa.insert(lists), [{"name": "daily", "created_at": AT}] * 2)
        with ledger.read() as c:
            assert c.execute(sa.select(lists)).all() == []

    def test_a_reader_sees_one_moment_while_others_write(self, ledger: Ledger) -> None:
        count = sa.select(sa.func.count()).select_from(lists)
        with ledger.read() as reader:
            before = reader.execute(count).scalar_one()
            with ledger.write() as c:
                c.execute(sa.insert(lists).values(name="daily", created_at=AT))
            assert reader.execute(count).scalar_one() == before

    def test_times_come_back_in_utc(self, ledger: Ledger) -> None:
        with ledger.write() as c:
            c.execute(sa.insert(lists).values(name="daily", created_at=AT))
        with ledger.read() as c:
            kept = c.scalars(sa.select(lists.c.created_at)).one()
        assert kept == AT
        assert kept.utcoffset() == AT.utcoffset()

    def test_a_time_without_a_zone_is_refused(self, ledger: Ledger) -> None:
        with pytest.raises(sa.exc.StatementError, match="aware"), ledger.write() as c:
            c.execute(sa.insert(lists).values(name="daily", created_at=AT.replace(tzinfo=None)))


class TestAServerThatWasRestarted:
    def test_is_connected_to_anew_by_who_was_at_rest(
        self, postgres_ledger: Ledger, migrated_database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database, "_TRY_AFTER_SECONDS", 0)
        end_all_connections(postgres_ledger, migrated_database)
        assert a_word_from(postgres_ledger) == 1

    def test_fails_once_who_was_just_at_it(
        self, postgres_ledger: Ledger, migrated_database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database, "_TRY_AFTER_SECONDS", 3600)
        end_all_connections(postgres_ledger, migrated_database)
        with pytest.raises(OperationalError):
            a_word_from(postgres_ledger)
        assert a_word_from(postgres_ledger) == 1


class TestALedgerThatCannotBeUsed:
    def test_an_unreachable_postgresql_is_named_without_its_password(self) -> None:
        said = unavailable("postgresql://me:s3cret@127.0.0.1:1/news")
        assert "PostgreSQL at 127.0.0.1:1/news" in said
        assert "DISTRIBUTOR_DATABASE_URL" in said
        assert "s3cret" not in said

    def test_a_missing_database_is_named(self, postgres_url: str) -> None:
        said = unavailable(postgres_url.replace("/test_", "/gone_"))
        assert "does not exist" in said

    def test_a_server_on_a_socket_is_named_by_its_folder(self, tmp_path: Path) -> None:
        said = unavailable(f"postgresql://me:s3cret@/news?host={tmp_path}")
        assert f"PostgreSQL at {tmp_path}:5432/news" in said

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "news",
            "mysql://me:s3cret@localhost/news",
            "postgresql://me:s3cret@localhost:port/news",
            "postgresql://me:s3cret@localhost:1/news?s3cret=1",
        ],
    )
    def test_a_wrong_url_is_not_repeated(self, url: str) -> None:
        said = unavailable(url)
        assert "database.url" in said
        assert "s3cret@" not in said

    @pytest.mark.parametrize("driver", ["sqlite+aiosqlite", "sqlite+pysqlite"])
    def test_the_driver_is_ours_to_choose(self, driver: str, tmp_path: Path) -> None:
        Ledger(f"{driver}:///{tmp_path}/ledger.db").open().close()

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        said = unavailable(f"sqlite:///{tmp_path}/file/ledger.db")
        assert f"SQLite at {tmp_path}/file/ledger.db" in said

    def test_a_folder_in_the_place_of_the_file(self, tmp_path: Path) -> None:
        assert "unable to open database file" in unavailable(f"sqlite:///{tmp_path}")

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        path = tmp_path / "ledger.db"
        path.write_text("a shopping list, longer than the header of a database" * 100)
        assert "file is not a database" in unavailable(f"sqlite:///{path}")

    def test_it_says_so_when_it_is_lost_later(self, tmp_path: Path) -> None:
        ledger = Ledger(f"sqlite:///{tmp_path}/gone/ledger.db")
        with pytest.raises(LedgerUnavailable), ledger.read():
            pass
