"""What a command needs to begin: settings, a context, and hints."""

from __future__ import annotations

import getpass
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from distributor.engine import broker
from distributor.engine.context import Context, Hints, build
from distributor.engine.embedded_redis import RedisUnavailable
from distributor.settings import Settings, load


def settings() -> Settings:
    """The settings of this run. Raises `SettingsError`."""
    return load()


@contextmanager
def context() -> Iterator[Context]:
    """A context with an open ledger, closed at the end. Raises `LedgerUnavailable`."""
    opened = build(load())
    try:
        yield opened
    finally:
        opened.ledger.close()


def hints(of: Context) -> Hints:
    """Hints over Celery, or none at all while there is no Redis to carry them.

    Loading Celery takes a moment, so only commands that hint do; without Redis it tries for
    seconds.
    """
    from distributor.engine.hints import CeleryHints, NoHints

    try:
        broker.check(of.settings)
    except RedisUnavailable:
        return NoHints()
    from distributor.engine.app import create_app

    return CeleryHints(create_app(of.settings))


def operator() -> str:
    """Who is at the keyboard, for the record: the person behind sudo, and on which machine."""
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (OSError, KeyError):
        # A container may run as a user that has no name.
        name = f"user {os.getuid()}"
    return f"{name}@{socket.gethostname()}"


def stop_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set from now on, instead of ending the program."""
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopping
