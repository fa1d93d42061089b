"""How fast the engine plans, claims, delivers and records, with all its guarantees on."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from channels import registry
from distributor.bench.null_channel import NullChannel
from distributor.engine import broker, heartbeat
from distributor.engine.app import create_app
from distributor.engine.children import Program, Supervisor
from distributor.engine.context import Context, build
from distributor.engine.heartbeat import worker_role
from distributor.engine.hints import CeleryHints
from distributor.engine.processes import redis_at_hand
from distributor.ledger import books, digests, sends
from distributor.ledger.books import Books
from distributor.ledger.states import SendState
from distributor.ledger.tables import lists, memberships, subscribers
from distributor.operations.demo import sample_digest
from distributor.operations.editions import load as load_edition
from distributor.operations.errors import OperationError
from distributor.settings import load

_CONFIGURATION = """
[storage]
var = "{var}"

[sending]
batch_size = 500
lanes = 2
sweep_seconds = 0.5

[sandbox]
enabled = false

[accounts.nowhere]
channel = "null"
"""
_CHUNK = 10_000
_LOOK_SECONDS = 0.1
_PATIENCE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class EngineFigures:
    recipients: int
    #: From the hint to plan until the send was finished.
    seconds: float
    #: From the hint to plan until the deliveries were written.
    plan_seconds: float
    cpu_ms_per_recipient: float
    #: Of the largest single process.
    peak_rss_mb: float
    books: Books

    def as_json(self) -> dict[str, object]:
        return {
            "recipients": self.recipients,
            "seconds": round(self.seconds, 3),
            "plan_seconds": round(self.plan_seconds, 3),
            "recipients_per_second": round(self.recipients / self.seconds),
            "cpu_ms_per_recipient": round(self.cpu_ms_per_recipient, 3),
            "peak_rss_mb": round(self.peak_rss_mb, 1),
            "books": self.books.as_json(),
        }


def run(recipients: int, *, workers: int, database: str | None) -> EngineFigures:
    """Send to `recipients` over a channel that accepts at once, with real Celery workers.

    `database`: URL of an empty database; None: SQLite in a temporary folder. Raises
    `OperationError` when the database holds subscribers already.
    """
    registry.register(NullChannel())
    with tempfile.TemporaryDirectory(prefix="distributor-bench-") as folder:
        os.environ.update(environ := environment(Path(folder), database))
        context = build(load(environ=environ))
        with redis_at_hand(context.settings):
            with _workers(Path(folder), workers):
                send_id = write_audience(context, recipients)
                _await_workers(context, workers)
                took = _measure(context, send_id, recipients)
            # The workers have ended: what they used is known now.
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return replace(
        took,
        cpu_ms_per_recipient=(used.ru_utime + used.ru_stime) * 1000 / recipients,
        peak_rss_mb=used.ru_maxrss / 1024,
    )


def environment(folder: Path, database: str | None) -> dict[str, str]:
    """Settings for a service in `folder` with nothing but the null channel."""
    config = folder / "bench.toml"
    config.write_text(_CONFIGURATION.format(var=f"{folder}/var"), encoding="utf-8")
    environ = {"DISTRIBUTOR_CONFIG": str(config)}
    return environ if database is None else {**environ, "DISTRIBUTOR_DATABASE_URL": database}


def _await_workers(context: Context, number: int) -> None:
    role = worker_role(NullChannel.name)
    with broker.client(context.settings) as client:
        while len(heartbeat.alive(client).get(role, [])) < number:
            time.sleep(_LOOK_SECONDS)


def _measure(context: Context, send_id: int, recipients: int) -> EngineFigures:
    began = time.perf_counter()
    CeleryHints(create_app(context.settings)).prepare([send_id])
    planned = None
    while True:
        with context.ledger.read() as connection:
            send = sends.find(connection, send_id)
        assert send is not None  # noqa: S101
        elapsed = time.perf_counter() - began
        if planned is None and send.intended is not None:
            planned = elapsed
        if send.state is SendState.FINISHED:
            break
        if elapsed > _PATIENCE_SECONDS:
            raise OperationError(f"the send is still {send.state.value} after {elapsed:.0f} s")
        time.sleep(_LOOK_SECONDS)
    with context.ledger.read() as connection:
        counted = books.of_send(connection, send_id, exact=True).total
    return EngineFigures(
        recipients=recipients,
        seconds=elapsed,
        plan_seconds=planned or elapsed,
        cpu_ms_per_recipient=0,
        peak_rss_mb=0,
        books=counted,
    )


@contextmanager
def _workers(folder: Path, number: int) -> Iterator[None]:
    supervisor = Supervisor()
    supervisor.start()
    command = (sys.executable, "-m", "distributor.bench.worker")
    for index in range(number):
        name = f"worker-{index + 1}"
        supervisor.add(Program(name, command, folder / f"{name}.log"))
    supervisor.add(Program("scheduler", (*command, "scheduler"), folder / "scheduler.log"))
    try:
        yield
    finally:
        supervisor.stop()


def write_audience(context: Context, recipients: int) -> int:
    """Subscribers of the null channel and a send to them, which is ready to be planned."""
    at = context.now()
    edition = load_edition(sample_digest(), context.settings)
    with context.ledger.write() as connection:
        if connection.execute(sa.select(sa.func.count()).select_from(subscribers)).scalar():
            raise OperationError("the database holds subscribers; a benchmark wants an empty one")
        digest_id = digests.store(
            connection, edition.digest, source=edition.source, name=edition.name, at=at
        )
        list_id = connection.execute(
            sa.insert(lists).values(name="bench", created_at=at).returning(lists.c.id)
        ).scalar_one()
    for first in range(0, recipients, _CHUNK):
        _write_subscribers(context, list_id, range(first, min(first + _CHUNK, recipients)), at)
    context.ledger.refresh_statistics(subscribers, memberships)
    with context.ledger.write() as connection:
        return sends.create(
            connection,
            digest_id=digest_id,
            state=SendState.PREPARING,
            audiences=[sends.Audience(list_id, NullChannel.name)],
            at=at,
            deadline_at=at + timedelta(hours=12),
        )


def _write_subscribers(context: Context, list_id: int, numbers: range, at: datetime) -> None:
    with context.ledger.write() as connection:
        ids = connection.execute(
            sa.insert(subscribers).returning(subscribers.c.id),
            [
                {
                    "channel": NullChannel.name,
                    "address": f"reader-{number:07}",
                    "attributes": {},
                    "created_at": at,
                }
                for number in numbers
            ],
        ).scalars()
        connection.execute(
            sa.insert(memberships),
            [
                {"list_id": list_id, "subscriber_id": subscriber_id, "subscribed_at": at}
                for subscriber_id in ids
            ],
        )
