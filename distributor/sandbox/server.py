"""Starts and stops the sandbox."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from distributor.sandbox.config import SandboxConfig, SandboxError

__all__ = ["SandboxConfig", "SandboxError", "SandboxHandle", "run", "running"]


@dataclass(frozen=True, slots=True)
class SandboxHandle:
    """Where a running sandbox listens."""

    host: str
    smtp_port: int
    http_port: int

    @property
    def base_url(self) -> str:
        """The page; `/bot` and `/cgi-bin/…` of the platforms stand below it."""
        return f"http://{self.host}:{self.http_port}"


def run(config: SandboxConfig) -> None:
    """Serve until SIGTERM or SIGINT. Raises `SandboxError` when it cannot start."""
    with _sockets(config) as (smtp_socket, http_socket):
        asyncio.run(_until_signal(config, smtp_socket, http_socket))


@contextmanager
def running(config: SandboxConfig) -> Iterator[SandboxHandle]:
    """A sandbox in a thread of this process, stopped at the end. Raises `SandboxError`."""
    with _sockets(config) as (smtp_socket, http_socket):
        stopper: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        thread = threading.Thread(
            target=lambda: asyncio.run(_in_thread(config, smtp_socket, http_socket, stopper)),
            name="sandbox",
            daemon=True,
        )
        thread.start()
        loop, stop = stopper.result()
        try:
            yield SandboxHandle(
                config.host, smtp_socket.getsockname()[1], http_socket.getsockname()[1]
            )
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()


async def _until_signal(
    config: SandboxConfig, smtp_socket: socket.socket, http_socket: socket.socket
) -> None:
    from distributor.sandbox.services import serve

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await serve(config, smtp_socket, http_socket, stop, started=lambda: None)
    except (sqlite3.Error, OSError) as error:
        raise _unusable(config, error) from error


async def _in_thread(
    config: SandboxConfig,
    smtp_socket: socket.socket,
    http_socket: socket.socket,
    stopper: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]],
) -> None:
    from distributor.sandbox.services import serve

    stop = asyncio.Event()
    handles = (asyncio.get_running_loop(), stop)
    try:
        await serve(config, smtp_socket, http_socket, stop, lambda: stopper.set_result(handles))
    except (sqlite3.Error, OSError) as error:
        stopper.set_exception(_unusable(config, error))


@contextmanager
def _sockets(config: SandboxConfig) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ports taken before anything starts, so that a port in use is known at once."""
    with ExitStack() as stack:
        yield (
            stack.enter_context(_bound(config.host, config.smtp_port, "sandbox.smtp_port")),
            stack.enter_context(_bound(config.host, config.http_port, "sandbox.http_port")),
        )


def _bound(host: str, port: int, key: str) -> socket.socket:
    """A socket that listens; `key` is the setting that chose its port."""
    try:
        listener = socket.create_server((host, port), backlog=1024)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SandboxError(
                f"port {port} of {host} is taken by another program; "
                f"stop that one, or choose another port: {key}"
            ) from error
        # Python repeats the address in the system's words.
        words = str(error.strerror).partition(" (")[0]
        raise SandboxError(
            f"the sandbox cannot listen on {host}:{port}: {words}; "
            f"choose another address: sandbox.host and {key}"
        ) from error
    # asyncio sets it on sockets that it made itself. Without it, an answer in two pieces waits
    # forty milliseconds for the client's acknowledgement of the first.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _unusable(config: SandboxConfig, error: Exception) -> SandboxError:
    return SandboxError(f"the sandbox cannot use its folder {config.folder}: {error}")
