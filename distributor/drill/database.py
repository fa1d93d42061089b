"""The ledger's database, taken away for a moment."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import sqlalchemy as sa
from psycopg import sql

from distributor.drill.plan import Kind
from distributor.ledger import tables
from distributor.ledger.database import Ledger
from distributor.operations.errors import OperationError, WrongRequest

_TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = %s AND pid <> pg_backend_pid()"
)
#: The database that every PostgreSQL server has.
_MAINTENANCE = "postgres"
_RECOVERY_SECONDS = 60


def require_empty(ledger: Ledger) -> None:
    """Raise `OperationError` when the ledger belongs to somebody: the drill breaks things."""
    with ledger.read() as connection:
        used = any(
            connection.execute(sa.select(sa.exists().select_from(table))).scalar_one()
            for table in (tables.sends, tables.subscribers)
        )
    if used:
        raise OperationError(
            f"the ledger at {ledger.place} has sends or subscribers; "
            "the drill needs an empty database of its own"
        )


def check_url(url: str) -> None:
    """Raise `WrongRequest` for what is not PostgreSQL; SQLite is what the drill has by itself."""
    try:
        backend = sa.make_url(url).get_backend_name()
    except sa.exc.ArgumentError:
        backend = ""
    if backend != "postgresql":
        raise WrongRequest(
            "--database wants an empty PostgreSQL database, such as "
            "postgresql://user:password@host:5432/drill; leave it out to drill on SQLite"
        )


def take_away(ledger: Ledger, seconds: float) -> None:
    """Nobody can use the ledger for so long. On SQLite, nobody can write."""
    if ledger.is_sqlite:
        _lock_sqlite(str(ledger.engine.url.database), seconds)
    else:
        _cut_postgresql(ledger.engine.url, seconds)


def crash(ledger: Ledger, seconds: float) -> str:
    """Crash the database server and wait until it has recovered; returns what was done.

    PostgreSQL ends every session, replays its log and starts anew when one of its processes is
    killed with -9. Where that cannot be done from here (SQLite has no server, PostgreSQL may be
    on another machine or another user's), the database is taken away for so long instead.
    """
    if ledger.is_sqlite or not _kill_a_backend(ledger.engine.url):
        take_away(ledger, seconds)
        return Kind.DATABASE.value
    _wait_until_it_answers(ledger.engine.url)
    return "kill -9 of a PostgreSQL process, which restarts the server"


def _kill_a_backend(url: sa.URL) -> bool:
    """Kill a session's process with -9; False when the server is not of this machine or user."""
    with psycopg.connect(_maintenance(url), autocommit=True) as connection:
        row = connection.execute(
            "SELECT pg_backend_pid(), coalesce(inet_server_addr() << '127.0.0.0/8', true)"
        ).fetchone()
        if row is None or not row[1] or not _is_postgres(row[0]):
            return False
        with suppress(PermissionError):
            os.kill(row[0], signal.SIGKILL)
            return True
    return False


def _is_postgres(pid: int) -> bool:
    try:
        return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _wait_until_it_answers(url: sa.URL) -> None:
    deadline = time.monotonic() + _RECOVERY_SECONDS
    while True:
        try:
            with psycopg.connect(_maintenance(url)) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _maintenance(url: sa.URL) -> str:
    server = url.set(drivername="postgresql", database=_MAINTENANCE)
    return server.render_as_string(hide_password=False)


def _lock_sqlite(path: str, seconds: float) -> None:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        connection.execute("ROLLBACK")


def _cut_postgresql(url: sa.URL, seconds: float) -> None:
    """End every connection, and refuse new ones for so long where our user may do that."""
    name = sql.Identifier(str(url.database))
    with psycopg.connect(_maintenance(url), autocommit=True) as connection:
        close = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name)
        with suppress(psycopg.errors.InsufficientPrivilege):
            connection.execute(close)
        try:
            connection.execute(_TERMINATE, [url.database])
            time.sleep(seconds)
        finally:
            reopen = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name)
            with suppress(psycopg.errors.InsufficientPrivilege):
                connection.execute(reopen)
