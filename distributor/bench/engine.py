"""How fast the engine plans, claims, delivers and records, with all its guarantees on."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from channels import registry
from distributor.bench import stage
from distributor.bench.null_channel import NullChannel
from distributor.engine.context import Context, build
from distributor.engine.heartbeat import worker_role
from distributor.engine.processes import redis_at_hand
from distributor.ledger.books import Books
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
        worker = (sys.executable, "-m", "distributor.bench.worker")
        commands = [(f"worker-{index + 1}", worker) for index in range(workers)]
        with redis_at_hand(context.settings):
            with stage.programs(Path(folder), [*commands, ("scheduler", (*worker, "scheduler"))]):
                send_id = write_audience(context, recipients)
                stage.await_roles(context, [worker_role(NullChannel.name)], workers)
                course = stage.watch(context, send_id)
            # The workers have ended: what they used is known now.
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return EngineFigures(
        recipients=recipients,
        seconds=course.seconds,
        plan_seconds=course.plan_seconds,
        cpu_ms_per_recipient=(used.ru_utime + used.ru_stime) * 1000 / recipients,
        peak_rss_mb=used.ru_maxrss / 1024,
        books=course.books,
    )


def environment(folder: Path, database: str | None) -> dict[str, str]:
    """Settings for a service in `folder` with nothing but the null channel."""
    config = folder / "bench.toml"
    config.write_text(_CONFIGURATION.format(var=f"{folder}/var"), encoding="utf-8")
    environ = {"DISTRIBUTOR_CONFIG": str(config)}
    return environ if database is None else {**environ, "DISTRIBUTOR_DATABASE_URL": database}


def write_audience(context: Context, recipients: int) -> int:
    """Subscribers of the null channel and a send to them, which is ready to be planned."""
    return stage.write_audience(context, NullChannel.name, "reader-{number:07}", recipients)
