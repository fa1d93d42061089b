"""The two long-running programs of the engine: a worker and the scheduler."""

from __future__ import annotations

import gc
import logging
import signal
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from celery import signals
from celery.exceptions import SecurityWarning

from distributor.engine import app as celery_app
from distributor.engine import broker, caretaker, counters, heartbeat
from distributor.engine.context import Context, build
from distributor.engine.embedded_redis import EmbeddedRedis
from distributor.engine.heartbeat import Heartbeat, worker_role
from distributor.engine.hints import CeleryHints
from distributor.settings import Settings

_log = logging.getLogger(__name__)

#: How long a worker that should end waits for an answer of the ledger, in seconds. Then the answers
#: of platforms stay in the journal, for the next worker.
_LEDGER_PATIENCE_SECONDS = 4.0


def run_worker(settings: Settings, queues: Sequence[str]) -> None:
    """Take tasks from `queues` until SIGTERM or SIGINT; then hand back and end within seconds.

    Threads, because delivering waits for the network. Each lane works on one batch at a time.
    """
    context = build(settings, channels=queues)
    app = celery_app.create_app(settings)
    celery_app.add_tasks(app, context)
    # What was imported stays for good: looking through it again and again finds no garbage.
    gc.freeze()

    def hand_back(**_details: object) -> None:
        context.stopping.set()
        context.ledger.hurry(_LEDGER_PATIENCE_SECONDS)

    signals.worker_shutting_down.connect(hand_back)
    signals.setup_logging.connect(_leave_logging_alone)
    # A container's root is nobody's; and tasks hold ids, nothing that could be run.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    roles = [worker_role(queue) for queue in queues]
    with redis_at_hand(settings), beating(settings, roles), counting(context):
        try:
            with caretaker.on_duty(context, CeleryHints(app)):
                app.Worker(
                    queues=list(queues),
                    pool="threads",
                    concurrency=settings.sending.lanes,
                    loglevel="WARNING",
                    quiet=True,
                    without_gossip=True,
                    without_mingle=True,
                    without_heartbeat=True,
                ).start()
        finally:
            context.stopping.set()
            context.connections.close()
            context.ledger.close()


def run_scheduler(settings: Settings) -> None:
    """Tick the sweeper until SIGTERM or SIGINT."""
    app = celery_app.create_app(settings)
    signals.setup_logging.connect(_leave_logging_alone)
    with redis_at_hand(settings), beating(settings, [heartbeat.SCHEDULER]):
        _end_on_sigterm()
        app.Beat(loglevel="WARNING", quiet=True).run()


@contextmanager
def redis_at_hand(settings: Settings) -> Iterator[None]:
    """Redis answers when the block begins. Raises `RedisUnavailable`.

    With the embedded one this process hosts it, or takes over when the host goes away.
    """
    if not settings.is_embedded_redis:
        broker.check(settings)
        yield
        return
    server = EmbeddedRedis(settings.var / "redis")
    server.start()
    try:
        yield
    finally:
        server.stop()


@contextmanager
def beating(settings: Settings, roles: Sequence[str]) -> Iterator[None]:
    """Tell others that this process plays `roles` while the block runs."""
    with broker.client(settings) as client:
        pulse = Heartbeat(client, roles)
        pulse.start()
        try:
            yield
        finally:
            pulse.stop()


@contextmanager
def counting(context: Context) -> Iterator[None]:
    """Add what this process counts to everybody's counts while the block runs."""
    with broker.client(context.settings) as client, counters.flushing(context.counters, client):
        yield


def _leave_logging_alone(**_details: object) -> None:
    """Celery sets up logging of its own only when nobody answers this signal."""


def _end_on_sigterm() -> None:
    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, end)
