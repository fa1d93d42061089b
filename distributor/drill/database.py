"""The ledger's database, taken away for a moment."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, suppress

import psycopg
import sqlalchemy as sa
from psycopg import sql

from distributor.ledger import tables
from distributor.ledger.database import Ledger
from distributor.operations.errors import OperationError, WrongRequest

_TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = %s AND pid <> pg_backend_pid()"
)
#: The database that every PostgreSQL server has.
_MAINTENANCE = "postgres"


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


def _lock_sqlite(path: str, seconds: float) -> None:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        connection.execute("ROLLBACK")


def _cut_postgresql(url: sa.URL, seconds: float) -> None:
    """End every connection, and refuse new ones for so long where our user may do that."""
    server = url.set(drivername="postgresql", database=_MAINTENANCE)
    name = sql.Identifier(str(url.database))
    address = server.render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
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
