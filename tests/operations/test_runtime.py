"""What `up` runs: one process for every role, whoever started it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from distributor import settings as configuration
from distributor.engine.heartbeat import SCHEDULER, worker_role
from distributor.engine.processes import beating, redis_at_hand
from distributor.operations import roster
from distributor.operations.errors import OperationError
from distributor.operations.runtime import Runtime, idle_queues, log_folder
from distributor.settings import Settings
from tests.support.service import edition
from tests.support.waiting import eventually

_PATIENCE_SECONDS = 60
_CONFIGURATION = """
[sandbox]
enabled = {sandbox}
smtp_port = {smtp_port}
http_port = {http_port}

[web]
port = {web_port}

[accounts.relay]
channel = "email"
from_address = "news@example.org"
"""

Installation = Callable[..., Settings]
NewRuntime = Callable[[Settings], Runtime]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def stranger() -> Iterator[int]:
    """A web server that is none of ours, by its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """Settings for this process and for those that it starts."""

    def install(sandbox: bool = False, more: str = "", **ports: int) -> Settings:
        names = ("smtp_port", "http_port", "web_port")
        chosen = {name: ports.get(name) or free_port() for name in names}
        path = tmp_path / "distributor.toml"
        path.write_text(_CONFIGURATION.format(sandbox=str(sandbox).lower(), **chosen) + more)
        monkeypatch.setenv("DISTRIBUTOR_CONFIG", str(path))
        monkeypatch.setenv("DISTRIBUTOR_STORAGE_VAR", str(tmp_path / "var"))
        return configuration.load()

    return install


@pytest.fixture
def new_runtime() -> Iterator[NewRuntime]:
    """Makes runtimes that are stopped in the end."""
    made: list[Runtime] = []

    def make(settings: Settings, web: bool = False) -> Runtime:
        made.append(Runtime(settings, web=web))
        return made[-1]

    yield make
    for runtime in made:
        runtime.stop()


def test_it_starts_every_role_that_nobody_plays(
    installation: Installation, new_runtime: NewRuntime
) -> None:
    settings = installation(sandbox=True)
    runtime = new_runtime(settings)
    runtime.start()

    runtime.wait_until_ready(_PATIENCE_SECONDS)

    assert runtime.tend() == frozenset()
    assert idle_queues(settings, ["email"]) == ()


def test_it_watches_the_sources_that_are_configured(
    installation: Installation, new_runtime: NewRuntime, tmp_path: Path
) -> None:
    posts = tmp_path / "posts"
    posts.mkdir()
    source = f'[[sources]]\nname = "blog"\nkind = "folder"\npath = "{posts}"\n'
    settings = installation(more=source)
    others = [*map(worker_role, ("control", "email")), SCHEDULER]
    with redis_at_hand(settings), beating(settings, others):
        eventually(lambda: set(roster.look(settings).processes) == set(others))
        runtime = new_runtime(settings)
        runtime.start()
        runtime.wait_until_ready(_PATIENCE_SECONDS)
        (posts / "1.md").write_text(edition())

        log = log_folder(settings) / "watch.log"
        eventually(lambda: "blog: new edition 1.md" in log.read_text(), _PATIENCE_SECONDS)
        runtime.stop()


def test_it_leaves_alone_what_somebody_else_runs(
    installation: Installation, new_runtime: NewRuntime
) -> None:
    settings = installation()
    with redis_at_hand(settings), beating(settings, [worker_role("email")]):
        eventually(lambda: idle_queues(settings, ["email"]) == ("control",))
        runtime = new_runtime(settings)
        runtime.start()
        runtime.wait_until_ready(_PATIENCE_SECONDS)
        runtime.stop()

    assert {log.stem for log in log_folder(settings).iterdir()} == {"worker-control", "scheduler"}


def test_a_second_runtime_only_watches_and_takes_over_when_the_first_is_gone(
    installation: Installation, new_runtime: NewRuntime
) -> None:
    settings = installation()
    first, second = new_runtime(settings), new_runtime(settings)
    first.start()
    first.wait_until_ready(_PATIENCE_SECONDS)
    second.start()
    assert not second.take_lock()

    first.stop()

    eventually(lambda: not second.tend(), within=_PATIENCE_SECONDS)
    assert second.take_lock()


@pytest.mark.parametrize("name", ["sandbox.http_port", "sandbox.smtp_port", "web.port"])
def test_a_port_that_a_stranger_has_is_named_before_anything_starts(
    installation: Installation, name: str
) -> None:
    with stranger() as port:
        option = {"web.port": "web_port"}.get(name, name.partition(".")[2])
        settings = installation(sandbox=True, **{option: port})
        with pytest.raises(OperationError, match=f"port {port} .*{name}"):
            Runtime(settings, web=True).start()

    assert not settings.var.exists()


@pytest.mark.slow
def test_a_program_that_cannot_start_ends_the_wait_with_its_own_words(
    installation: Installation, new_runtime: NewRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation(sandbox=True)
    monkeypatch.setenv("DISTRIBUTOR_SANDBOX_HOST", "no-such-host.invalid")
    runtime = new_runtime(configuration.load())
    runtime.start()

    with pytest.raises(
        OperationError, match=r"sandbox cannot be started: .*no-such-host\.invalid.*sandbox\.log$"
    ):
        runtime.wait_until_ready(_PATIENCE_SECONDS * 10)


def test_without_redis_every_queue_of_a_send_is_idle(installation: Installation) -> None:
    assert idle_queues(installation(), ["email"]) == ("control", "email")
