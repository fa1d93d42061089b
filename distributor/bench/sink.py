"""Where benchmarked mail ends: a server that takes everything, and what it can take at most.

Postfix's `smtp-sink` and `smtp-source` when they are installed. The server that stands in for
`smtp-sink` reads whatever comes and looks only for the ends of messages.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_HOST = "127.0.0.1"
_PATIENCE_SECONDS = 10
_END = b"\r\n.\r\n"
_BACKLOG = 1000
_SESSIONS = 8
#: Debian keeps them where an ordinary user's PATH does not lead.
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/libexec/postfix"


@dataclass(frozen=True, slots=True)
class Sink:
    name: str
    port: int
    pid: int

    @property
    def cpu_seconds(self) -> float:
        """Processor time that it has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def limit(self, messages: int, octets: int) -> float | None:
        """Messages a second that Postfix's `smtp-source` gets rid of here; None without it."""
        source = shutil.which("smtp-source", path=_PATH)
        if source is None:
            return None
        options = ["-s", _SESSIONS, "-m", messages, "-l", octets, "-d"]
        addresses = ["-f", "bench@news.example.org", "-t", "reader@readers.example"]
        began = time.perf_counter()
        subprocess.run(
            [source, *map(str, options), *addresses, f"{_HOST}:{self.port}"],
            check=True,
            capture_output=True,
        )
        return messages / (time.perf_counter() - began)


@contextmanager
def running() -> Iterator[Sink]:
    """A sink for as long as the block runs."""
    with socket.create_server((_HOST, 0)) as free:
        port: int = free.getsockname()[1]
    program = shutil.which("smtp-sink", path=_PATH)
    if program is not None:
        as_user = ["-u", "nobody"] if os.geteuid() == 0 else []
        name, command = "smtp-sink", [program, *as_user, f"{_HOST}:{port}", str(_BACKLOG)]
    else:
        name, command = "python", [sys.executable, "-m", "distributor.bench.sink", str(port)]
    with subprocess.Popen(command) as process:
        try:
            _await(port)
            yield Sink(name, port, process.pid)
        finally:
            process.terminate()


def _await(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection((_HOST, port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


class _Conversation(asyncio.Protocol):
    """Answers yes to everything; keeps no more of a message than its last octets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport
        self._waiting = b""
        self._in_message = False
        transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while self._step():
            pass

    def _step(self) -> bool:
        """Take one command or one message's end; False when more has to come first."""
        end = self._waiting.find(_END if self._in_message else b"\r\n")
        if end < 0:
            if self._in_message:
                self._waiting = self._waiting[-len(_END) :]
            return False
        if self._in_message:
            self._waiting = self._waiting[end + len(_END) :]
            self._in_message = False
            self._transport.write(b"250 2.0.0 Ok\r\n")
            return True
        verb = self._waiting[:4].upper()
        self._waiting = self._waiting[end + 2 :]
        self._in_message = verb == b"DATA"
        replies = {
            b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 SIZE\r\n",
            b"DATA": b"354 Go ahead\r\n",
            b"QUIT": b"221 2.0.0 Bye\r\n",
        }
        self._transport.write(replies.get(verb, b"250 2.0.0 Ok\r\n"))
        if verb == b"QUIT":
            self._transport.close()
        return verb != b"QUIT"


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Conversation, _HOST, port, backlog=_BACKLOG)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
