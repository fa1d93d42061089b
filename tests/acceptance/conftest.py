from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.machine import Machine, free_port
from tests.support.platforms import Platforms, platforms

NewMachine = Callable[..., Machine]

_MAIL_ONLY = """
[sandbox]
enabled = false

[accounts.relay]
channel = "email"
host = "127.0.0.1"
port = {port}
security = "none"
from_address = "digest@newsletter.localhost"
on_unknown = "resend"
"""


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_is_heard() -> None:
    """Also where the tests run in the background of a shell, which has its jobs ignore SIGINT.

    Programs inherit that; what this process handles is theirs to handle, too.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def at_platforms(tmp_path: Path) -> Iterator[Platforms]:
    """The platforms, which outlive whatever happens on a machine."""
    with platforms(tmp_path / "platforms") as running:
        yield running


@pytest.fixture
def new_machine(tmp_path: Path) -> Iterator[NewMachine]:
    """Makes machines; what still runs on them in the end is ended."""
    made: list[Machine] = []

    def make(*, host: str | None = None, **environ: str) -> Machine:
        folder = tmp_path / f"machine-{len(made)}"
        folder.mkdir()
        quickly = {
            "DISTRIBUTOR_SENDING_SWEEP_SECONDS": "0.5",
            "DISTRIBUTOR_ACCOUNTS_RELAY_RETRY_BASE_SECONDS": "0.2",
            "DISTRIBUTOR_WEB_PORT": free_port(),
        }
        made.append(Machine(folder, host=host, **quickly, **environ))
        return made[-1]

    yield make
    for machine in made:
        machine.shut_down()


@pytest.fixture
def mail_only(tmp_path: Path, at_platforms: Platforms) -> dict[str, str]:
    """Settings for a machine that has a relay and no other account."""
    path = tmp_path / "mail-only.toml"
    port = at_platforms.environment["DISTRIBUTOR_ACCOUNTS_RELAY_PORT"]
    path.write_text(_MAIL_ONLY.format(port=port), encoding="utf-8")
    return {"DISTRIBUTOR_CONFIG": str(path)}


@pytest.fixture
def own_sandbox() -> dict[str, str]:
    """Settings for a sandbox that the program starts by itself."""
    http_port, smtp_port = free_port(), free_port()
    return {
        "DISTRIBUTOR_SANDBOX_HTTP_PORT": http_port,
        "DISTRIBUTOR_SANDBOX_SMTP_PORT": smtp_port,
        "DISTRIBUTOR_ACCOUNTS_RELAY_PORT": smtp_port,
        "DISTRIBUTOR_ACCOUNTS_BOT_BASE_URL": f"http://127.0.0.1:{http_port}/bot",
        "DISTRIBUTOR_ACCOUNTS_ROBOT_BASE_URL": f"http://127.0.0.1:{http_port}",
    }
