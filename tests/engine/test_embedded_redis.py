"""The Redis that comes with the program: private, lasting, and never left running."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis

from distributor.engine import embedded_redis
from distributor.engine.embedded_redis import EmbeddedRedis, RedisUnavailable
from tests.support.waiting import eventually

_HOST = """
import sys
from pathlib import Path
from distributor.engine.embedded_redis import EmbeddedRedis
server = EmbeddedRedis(Path(sys.argv[1]))
server.start()
print("ready", flush=True)
input()
server.stop()
"""


@contextmanager
def hosted_here(folder: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def another_host(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that hosts the server, or waits to."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOST, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == "ready\n"
        try:
            yield host
        finally:
            host.kill()


def connect(socket: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(socket), decode_responses=True)


def server_pid(socket: Path) -> int:
    with connect(socket) as client:
        return int(client.info("server")["process_id"])


def has_ended(pid: int) -> bool:
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def test_it_answers_when_it_has_started(tmp_path: Path) -> None:
    with hosted_here(tmp_path) as server, connect(server.socket) as client:
        assert client.ping()


@pytest.mark.skipif(sys.platform != "linux", reason="reads the sockets of a process from /proc")
def test_it_listens_on_no_network_port(tmp_path: Path) -> None:
    with hosted_here(tmp_path) as server:
        process = Path(f"/proc/{server_pid(server.socket)}")
        own = {str(file.readlink()) for file in (process / "fd").iterdir()}
        on_the_network = {
            f"socket:[{line.split()[9]}]"
            for table in ("tcp", "tcp6", "udp", "udp6")
            for line in (process / "net" / table).read_text().splitlines()[1:]
        }
    assert any(name.startswith("socket:") for name in own)
    assert not own & on_the_network


def test_nobody_else_reaches_its_socket_or_its_data(tmp_path: Path) -> None:
    with hosted_here(tmp_path / "redis") as server:
        assert stat.S_IMODE((tmp_path / "redis").stat().st_mode) == 0o700
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o600


def test_its_data_outlives_a_stop_and_a_start(tmp_path: Path) -> None:
    with hosted_here(tmp_path) as server, connect(server.socket) as client:
        client.set("kept", "yes")
    with hosted_here(tmp_path) as server, connect(server.socket) as client:
        assert client.get("kept") == "yes"


def test_stopping_ends_the_server(tmp_path: Path) -> None:
    with hosted_here(tmp_path) as server:
        pid = server_pid(server.socket)
    assert has_ended(pid)
    assert not embedded_redis.answers(server.socket)


def test_stopping_twice_or_before_the_start_does_no_harm(tmp_path: Path) -> None:
    with hosted_here(tmp_path / "one") as server:
        server.stop()
    EmbeddedRedis(tmp_path / "two").stop()


def test_a_server_that_was_killed_is_started_again_with_its_data(tmp_path: Path) -> None:
    with hosted_here(tmp_path) as server:
        with connect(server.socket) as client:
            client.set("kept", "yes")
        os.kill(server_pid(server.socket), signal.SIGKILL)
        eventually(lambda: embedded_redis.answers(server.socket))
        with connect(server.socket) as client:
            assert client.get("kept") == "yes"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_the_server_dies_with_a_host_that_is_killed(tmp_path: Path) -> None:
    with another_host(tmp_path) as host:
        pid = server_pid(embedded_redis.socket_path(tmp_path))
        host.kill()
        eventually(lambda: has_ended(pid))


def test_a_process_that_stands_ready_takes_over_with_the_data(tmp_path: Path) -> None:
    with another_host(tmp_path) as host, hosted_here(tmp_path) as server:
        first = server_pid(server.socket)
        with connect(server.socket) as client:
            client.set("kept", "yes")
        host.kill()
        eventually(lambda: has_ended(first) and embedded_redis.answers(server.socket))
        with connect(server.socket) as client:
            assert client.get("kept") == "yes"
        assert server_pid(server.socket) != first


def test_two_processes_share_one_server(tmp_path: Path) -> None:
    with another_host(tmp_path), hosted_here(tmp_path) as server:
        pid = server_pid(server.socket)
        server.stop()
        assert server_pid(server.socket) == pid


def test_a_path_too_long_for_a_socket_is_replaced_by_a_short_private_one(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    with hosted_here(folder) as server:
        assert embedded_redis.answers(server.socket)
        assert len(os.fsencode(server.socket)) <= 100
        assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
        assert (folder / "appendonlydir").is_dir()


def test_folders_with_long_paths_have_different_sockets(tmp_path: Path) -> None:
    one, two = (tmp_path / ("long" * 30) / name for name in ("one", "two"))
    assert embedded_redis.socket_path(one) != embedded_redis.socket_path(two)


def test_a_server_that_cannot_start_is_told_with_its_log(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").write_text("not a folder")
    server = EmbeddedRedis(tmp_path)
    with pytest.raises(RedisUnavailable, match=r"did not start: .* Its log is .*redis\.log"):
        server.start()
