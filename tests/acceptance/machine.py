"""A machine on which the program was just installed: its files, settings and processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from distributor import settings as configuration
from distributor.audience import lists, transfer
from distributor.audience.files import Format
from distributor.ledger.database import Ledger
from tests.support.service import edition
from tests.support.waiting import eventually

_PATIENCE_SECONDS = 90
_AS_HOST = (sys.executable, "-m", "tests.support.as_host")
_PROGRAM = (sys.executable, "-m", "distributor")


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Running:
    """A command that runs by itself."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def end(self, number: signal.Signals | None = None) -> Done:
        """Send the signal, if any, and wait until the command has ended."""
        if number is not None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=_PATIENCE_SECONDS)
        return Done(self.process.returncode, out, err)


class Machine:
    def __init__(self, folder: Path, *, host: str | None = None, **environ: str) -> None:
        """`host`: its name, where it is not that of the computer that the test runs on."""
        self.folder = folder
        self.host = host
        self.var = folder / "var"
        self.file = folder / "今日 新闻.md"
        self.file.write_text(edition(), encoding="utf-8")
        outside = {k: v for k, v in os.environ.items() if not k.startswith("DISTRIBUTOR_")}
        self._environ = {**outside, "DISTRIBUTOR_STORAGE_VAR": str(self.var), **environ}
        self._started: list[Running] = []

    def start(self, *words: object) -> Running:
        program = _PROGRAM if self.host is None else (*_AS_HOST, self.host)
        process = subprocess.Popen(
            [*program, *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self._environ,
        )
        self._started.append(Running(process))
        return self._started[-1]

    def run(self, *words: object) -> Done:
        return self.start(*words).end()

    def subscribe(self, *addresses: tuple[str, str]) -> None:
        """Put (channel, address) pairs on the list `daily`."""
        rows = "\n".join(["channel,address", *(f"{one},{address}" for one, address in addresses)])
        settings = configuration.load(environ=self._environ)
        ledger = Ledger(settings.ledger_url).open()
        with ledger.write() as connection:
            lists.create(connection, "daily")
        transfer.import_file(ledger, BytesIO(rows.encode()), Format.CSV, list_names=["daily"])
        ledger.close()

    def processes(self, *words: str) -> Mapping[int, str]:
        """Commands of every process that runs with this machine's settings, by process id;
        only those with all `words` in them."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if self._owns(folder):
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found[int(folder.name)] = command
        return {pid: text for pid, text in found.items() if all(word in text for word in words)}

    def _owns(self, process: Path) -> bool:
        # The Redis server writes its title over its environment, but works in its folder.
        if (process / "cwd").readlink().is_relative_to(self.var):
            return True
        mark = f"DISTRIBUTOR_STORAGE_VAR={self.var}".encode()
        return mark in (process / "environ").read_bytes().split(b"\0")

    def kill(self, *words: str) -> None:
        """End at once the one process whose command has all `words`, as soon as it runs."""
        (pid,) = eventually(lambda: self.processes(*words), within=_PATIENCE_SECONDS)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: pid not in self.processes())

    def send(self, *options: str) -> Sequence[str]:
        """The words of the command that sends this machine's edition and waits."""
        return ["send", str(self.file), "--list", "daily", "--wait", "--json", *options]

    def shut_down(self) -> None:
        for running in self._started:
            with suppress(ProcessLookupError):
                running.process.kill()
            running.process.communicate()


def free_port() -> str:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
