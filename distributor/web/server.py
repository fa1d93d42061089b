"""Serves an ASGI application until the process is told to stop."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp

#: Seconds that open requests get to end after SIGTERM.
_GRACE_SECONDS = 10
_LAST_PORT = 65535


class WebError(Exception):
    """The server cannot start; the text says why and what to do."""


def run(app: ASGIApp, host: str, port: int) -> None:
    """Serve `app` on `host`:`port`, and return after SIGTERM when open requests have ended.

    Logs warnings and errors only: request lines hold unsubscribe tokens. Raises `WebError` when
    the address cannot be used, and `KeyboardInterrupt` after Ctrl-C.
    """
    import uvicorn

    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        # Its messages go where ours go.
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    with listener, _returning_on_sigterm():
        uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    if not 0 < port <= _LAST_PORT:
        raise WebError(f"{port} is not a port; choose one from 1 to {_LAST_PORT}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise WebError(
            f"cannot listen on {host}:{port}: {error.strerror}. "
            "Stop the program that uses it, or choose another port."
        ) from error


@contextmanager
def _returning_on_sigterm() -> Iterator[None]:
    """uvicorn raises the signal again once it has stopped; here that must not end the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
