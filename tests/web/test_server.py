from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests
from starlette.applications import Starlette

from distributor.audience import subscribers
from distributor.audience.tokens import UnsubscribeTokens
from distributor.web import server
from distributor.web.server import WebError
from tests.web.conftest import SECRET, Site

SERVE = """
import sys
from channels.base import Publisher
from distributor.ledger.database import Ledger
from distributor.operations.roster import Roster
from distributor.templating import Templates
from distributor.web.app import create_app
from distributor.web.server import run
url, secret, port = sys.argv[1:]
print("serving", flush=True)
app = create_app(
    Ledger(url),
    Templates(),
    Publisher("X"),
    secret,
    look=lambda: Roster(False),
    remark=lambda _send: (),
)
run(app, "127.0.0.1", int(port))
print("stopped", flush=True)
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def running(site: Site) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The site served by a process of its own, and its address."""
    port = free_port()
    arguments = [str(site.ledger.engine.url), SECRET, str(port)]
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "serving\n"
        address = f"http://127.0.0.1:{port}"
        with requests.Session() as session:
            retry = requests.adapters.Retry(connect=50, backoff_factor=0.05, backoff_max=0.2)
            session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retry))
            assert session.get(f"{address}/healthz", timeout=5).status_code == 200
        yield process, address
        process.kill()


def test_one_click_works_as_mail_programs_send_it_and_sigterm_ends_it_cleanly(
    site: Site, tokens: UnsubscribeTokens, running: tuple[subprocess.Popen[str], str]
) -> None:
    process, address = running
    send, links = None, {}
    for name in ("urlencoded", "multipart", "large"):
        subscriber = site.subscribe(f"{name}@example.com", "daily")
        send = send or site.send("daily")
        links[name] = f"{address}/unsubscribe/{tokens.issue(subscriber, send)}"
    field = {"List-Unsubscribe": "One-Click"}
    with requests.Session() as session:
        answers = [
            session.post(links["urlencoded"], data=field, timeout=5, allow_redirects=False),
            session.post(
                links["multipart"],
                files={key: (None, value) for key, value in field.items()},
                timeout=5,
                allow_redirects=False,
            ),
            session.post(links["large"], data=b"x" * 300_000, timeout=5, allow_redirects=False),
            session.get(f"{address}/readyz", timeout=5),
        ]
    assert [answer.status_code for answer in answers] == [200] * 4
    for name in links:
        with site.ledger.read() as c:
            (membership,) = subscribers.show(c, f"{name}@example.com").memberships
        assert membership.unsubscribed_by == "one-click"
    process.terminate()
    output, _ = process.communicate(timeout=10)
    assert output == "stopped\n"
    assert process.returncode == 0


def test_a_port_in_use_is_one_line_that_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(WebError, match=f"127.0.0.1:{port}: .*choose another port") as refused:
            server.run(Starlette(), "127.0.0.1", port)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(WebError, match=f"{port} is not a port; choose one from 1 to 65535"):
        server.run(Starlette(), "127.0.0.1", port)
