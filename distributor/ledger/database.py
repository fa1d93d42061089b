"""The database behind the ledger: opening it, transactions, and its schema's version."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    InvalidatePoolError,
    OperationalError,
    SQLAlchemyError,
)

from distributor.ledger import patience
from distributor.ledger.patience import Patience
from distributor.ledger.turns import Turns

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite
    from sqlalchemy.engine.interfaces import DBAPIConnection

#: Connections that a process keeps once it needed them: one for each of the most lanes that a
#: worker may have, and some for its other threads.
_MOST_CONNECTIONS = 70
#: A pooled connection that was at rest for so long, in seconds, is tried before it is used: its
#: server may have been restarted. One that was just used costs no round trip more.
_TRY_AFTER_SECONDS = 1.0
#: How long a writer waits for another one on SQLite, in seconds.
_SQLITE_BUSY_SECONDS = 30
#: How long a connection that was at rest may take to show that it is alive, in seconds.
_PING_SECONDS = 3.0
_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
#: Arbitrary number that names the schema upgrade among PostgreSQL's advisory locks.
_UPGRADE_LOCK = 7_240_511


class LedgerUnavailable(Exception):
    """The database cannot be used; the text says why and what to do, with no password in it."""


class Ledger:
    """A database that holds the ledger.

    `read()` and `write()` give a connection inside a transaction that commits when the block
    ends well. A reader sees one moment, however much it reads. On SQLite a writer takes the
    write lock at once, so that it cannot fail halfway.
    """

    def __init__(self, url: str) -> None:
        """`url`: `sqlite:////path/to/file` or `postgresql://user:password@host/name`.

        Nothing is opened yet. Raises `LedgerUnavailable` for a URL that cannot be understood.
        """
        self._url = _parse(url)
        self._turns = self._turns_of_writers()
        self._patience = Patience()
        self.engine = sa.create_engine(self._url, **_engine_options(self._url))
        if self.is_sqlite:
            _prepare_sqlite(self.engine)
        else:
            _try_rested_connections(self.engine, self._patience)
            self._patience.applies_to(self.engine)

    def _turns_of_writers(self) -> Turns | None:
        if not self.is_sqlite or not self._url.database:
            return None
        return Turns(Path(f"{self._url.database}-turns"), _SQLITE_BUSY_SECONDS)

    def _turn(self) -> AbstractContextManager[None]:
        return nullcontext() if self._turns is None else self._turns.taken()

    @property
    def is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @property
    def place(self) -> str:
        """Where the ledger is, for people: without credentials."""
        if self.is_sqlite:
            return str(self._url.database)
        # A Unix socket is named by its folder, after the question mark.
        host = self._url.host or self._url.query.get("host") or "local socket"
        return f"{host}:{self._url.port or 5432}/{self._url.database}"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self._turn(), self._connect() as connection:
            writing = connection.execution_options(distributor_write=True)
            with writing.begin():
                yield writing

    def patience(self, seconds: float) -> AbstractContextManager[None]:
        """In this block, a transaction of this thread that takes longer ends as a lost connection.

        For PostgreSQL, which may hang without an error. Elsewhere a transaction takes what it
        takes: an audience is frozen, or a schema upgraded, in one.
        """
        return self._patience.limited(seconds)

    def hurry(self, seconds: float) -> None:
        """Let none of the transactions that have such a limit take longer than this, from now on:
        the process should end."""
        self._patience.hurry(seconds)

    def open(self) -> Ledger:
        """Create or upgrade the schema when it is not the newest. Raises `LedgerUnavailable`."""
        try:
            if self.is_sqlite and self._url.database:
                Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
            self._upgrade()
        except (SQLAlchemyError, OSError) as error:
            self.close()
            raise self._unavailable(error) from error
        return self

    def refresh_statistics(self, *tables: sa.Table) -> None:
        """Tell PostgreSQL's planner of many new rows, which it would learn of too late."""
        if not self.is_sqlite:
            with self.write() as connection:
                for table in tables:
                    connection.execute(sa.text(f"ANALYZE {table.name}"))

    def close(self) -> None:
        self.engine.dispose()
        self._patience.close()
        if self._turns is not None:
            self._turns.close()

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        try:
            connection = self.engine.connect()
        except DatabaseError as error:
            raise self._unavailable(error) from error
        with connection, self._watched(connection):
            yield connection

    def _watched(self, connection: Connection) -> AbstractContextManager[None]:
        if self.is_sqlite:
            return nullcontext()
        return self._patience.watched(connection.connection.dbapi_connection)

    def _unavailable(self, error: SQLAlchemyError | OSError) -> LedgerUnavailable:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()
        words = cause[0] if cause else type(error).__name__
        if isinstance(error, OSError):
            is_file = isinstance(error, FileExistsError | NotADirectoryError)
            words = "its folder is a file" if is_file else error.strerror or words
        kind = "SQLite" if self.is_sqlite else "PostgreSQL"
        return LedgerUnavailable(
            f"the ledger ({kind} at {self.place}) cannot be used: {words}. {self._advice(error)}"
        )

    def _advice(self, error: Exception) -> str:
        if not self.is_sqlite:
            return "Check database.url (DISTRIBUTOR_DATABASE_URL) and that the database is running."
        if isinstance(error, OSError | OperationalError):
            return (
                "See that this program may write there, or name another place: storage.var "
                "(DISTRIBUTOR_STORAGE_VAR), or database.url where that is set."
            )
        return "The file is damaged or is no ledger: put a copy of the ledger in its place."

    def _upgrade(self) -> None:
        from distributor.ledger import migrations

        with self.read() as connection:
            if migrations.is_current(connection):
                return
        with self.write() as connection:
            if not self.is_sqlite:
                lock = sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK))
                connection.execute(lock)
            migrations.upgrade(connection)


def insert_or_ignore(
    connection: Connection, table: sa.Table, rows: list[dict[str, Any]], *conflict: str
) -> None:
    """Insert `rows`, leaving alone those that clash on the unique columns `conflict`."""
    if rows:
        statement = _insert(connection, table).on_conflict_do_nothing(index_elements=conflict)
        connection.execute(statement, rows)


def upsert(
    connection: Connection,
    table: sa.Table,
    rows: list[dict[str, Any]],
    *conflict: str,
    unless: sa.ColumnElement[bool],
) -> None:
    """Insert `rows`, replacing the values of those that clash on the unique columns `conflict`.

    A stored row for which `unless` is true is left alone.
    """
    if rows:
        statement = _insert(connection, table)
        values = {name: statement.excluded[name] for name in rows[0] if name not in conflict}
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=conflict, set_=values, where=sa.not_(unless)
            ),
            rows,
        )


def _insert(connection: Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise LedgerUnavailable(
            "database.url is not a database address; it wants sqlite:////path/to/ledger.db "
            "or postgresql://user:password@host:5432/name"
        ) from error
    backend = parsed.get_backend_name()
    if backend not in _DRIVERS:
        raise LedgerUnavailable(
            f"database.url names {backend!r}; the ledger runs on sqlite or postgresql"
        )
    return parsed.set(drivername=_DRIVERS[backend])


def _engine_options(url: URL) -> dict[str, Any]:
    json = {"json_serializer": to_json, "json_deserializer": orjson.loads}
    if url.get_backend_name() == "sqlite":
        return {
            **json,
            "connect_args": {"timeout": _SQLITE_BUSY_SECONDS},
            "pool_size": 10,
            "hide_parameters": True,
        }
    return {
        **json,
        "hide_parameters": True,
        "pool_size": _MOST_CONNECTIONS,
        "connect_args": {"options": "-c timezone=utc", **patience.connect_args(url)},
    }


def to_json(value: object) -> str:
    """JSON as text, as statements take it; states and times are written as they are stored."""
    return orjson.dumps(value).decode()


def _try_rested_connections(engine: sa.Engine, patience_: Patience) -> None:
    """What `pool_pre_ping` does at every checkout, for those that need it."""

    @sa.event.listens_for(engine, "checkin")
    def on_checkin(_connection: object, record: sa.pool.ConnectionPoolEntry) -> None:
        record.info["rests_since"] = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def on_checkout(
        connection: DBAPIConnection, record: sa.pool.ConnectionPoolEntry, _: object
    ) -> None:
        rests_since = record.info.get("rests_since")
        if rests_since is None or time.monotonic() - rests_since < _TRY_AFTER_SECONDS:
            return
        try:
            with patience_.watched(connection, _PING_SECONDS):
                engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            # The pool opens another one, and drops those that are as old as this one.
            raise InvalidatePoolError(str(error)) from error


def _prepare_sqlite(engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        # The driver must not begin transactions on its own: `begin` below decides which kind.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("distributor_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
