"""Starting and stopping, as a process of its own."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from distributor.sandbox.server import SandboxConfig, SandboxError, run, running
from tests.sandbox.conftest import Client, letter

_PROGRAM = """
import logging, pathlib, sys
from distributor.sandbox.server import SandboxConfig, run
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
run(SandboxConfig(pathlib.Path(sys.argv[1]), smtp_port=0, http_port=0))
"""


@contextmanager
def process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A sandbox process and its SMTP port."""
    command = [sys.executable, "-c", _PROGRAM, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sandbox:
        assert sandbox.stdout is not None
        lines = (sandbox.stdout.readline(), sandbox.stdout.readline())
        try:
            yield sandbox, int(lines[0].rpartition(":")[2])
        finally:
            sandbox.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_at_once_though_a_client_is_connected(tmp_path: Path, number: signal.Signals) -> None:
    with process(tmp_path) as (sandbox, port), smtplib.SMTP("127.0.0.1", port) as smtp:
        smtp.ehlo()
        sandbox.send_signal(number)
        assert sandbox.wait(timeout=5) == 0
        smtp.close()


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    with process(tmp_path) as (sandbox, port), smtplib.SMTP("127.0.0.1", port) as smtp:
        for number in range(20):
            smtp.send_message(letter(message_id=f"<{number}@example.org>"))
        os.kill(sandbox.pid, signal.SIGKILL)
        sandbox.wait(timeout=5)
        smtp.close()
    with running(SandboxConfig(tmp_path, smtp_port=0, http_port=0)) as revived:
        client = Client(revived, tmp_path)
        kept = client.messages(platform="smtp")
        assert [m["message_id"] for m in kept] == [f"<{n}@example.org>" for n in range(20)]
        assert client.get(kept[-1]["raw"]).content


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SandboxError) as refused:
            run(SandboxConfig(tmp_path, smtp_port=port, http_port=0))
    assert str(refused.value) == (
        f"port {port} of 127.0.0.1 is taken by another program; "
        "stop that one, or choose another port: sandbox.smtp_port"
    )
    assert "\n" not in str(refused.value)


def test_a_folder_that_cannot_be_used_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    config = SandboxConfig(tmp_path / "file", smtp_port=0, http_port=0)
    with pytest.raises(SandboxError, match="cannot use its folder"), running(config):
        pass


def test_importing_the_entry_is_cheap() -> None:
    heavy = "{'uvicorn', 'starlette', 'aiosmtpd', 'tdjson', 'PIL', 'jinja2'} & set(sys.modules)"
    program = f"import sys, distributor.sandbox.server; sys.exit(str({heavy} or ''))"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert result.stderr.strip() == ""
