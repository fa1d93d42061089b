"""A TCP proxy that stops forwarding and says nothing, as a firewall or a hung server does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa


class FreezingProxy:
    """Passes connections to a port of this machine on to a Unix socket, until it is frozen."""

    def __init__(self, target: Path) -> None:
        self._target = str(target)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        #: Those of open connections, set when they are frozen.
        self._frozen: list[threading.Event] = []
        self._freezes_new_ones = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def freeze(self, *, new_ones_too: bool = False) -> None:
        """Swallow whatever comes over open connections, and over later ones where wanted."""
        self._freezes_new_ones = new_ones_too
        for frozen in self._frozen:
            frozen.set()

    def close(self) -> None:
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._target)
                frozen = threading.Event()
                if self._freezes_new_ones:
                    frozen.set()
                self._frozen.append(frozen)
                self._sockets += (near, far)
                for source, target in ((near, far), (far, near)):
                    pump = threading.Thread(
                        target=_pump, args=(source, target, frozen), daemon=True
                    )
                    pump.start()


def _pump(source: socket.socket, target: socket.socket, frozen: threading.Event) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            if not frozen.is_set():
                target.sendall(data)
        if not frozen.is_set():
            target.shutdown(socket.SHUT_WR)


@contextmanager
def freezing_proxy(target: Path) -> Iterator[FreezingProxy]:
    """`target` is a Unix socket."""
    proxy = FreezingProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()


def database_socket(url: str) -> Path:
    """The Unix socket of the PostgreSQL server of a test's URL."""
    folder = sa.make_url(url).query["host"]
    assert isinstance(folder, str)
    return Path(folder) / ".s.PGSQL.5432"


def through(proxy: FreezingProxy, url: str) -> str:
    """The URL of the same database behind `proxy`."""
    parsed = sa.make_url(url).set(host="127.0.0.1", port=proxy.port, query={})
    return parsed.render_as_string(hide_password=False)
