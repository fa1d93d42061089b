"""How fast Telegram posts leave: ledger, workers, limits, python-telegram-bot, recording."""

from __future__ import annotations

import os
import resource
import socket
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import requests

from channels.telegram import CHANNEL
from distributor.bench import stage
from distributor.engine.context import build
from distributor.engine.heartbeat import SCHEDULER, worker_role
from distributor.engine.hints import CONTROL_QUEUE
from distributor.engine.processes import redis_at_hand
from distributor.ledger.books import Books
from distributor.settings import load
from distributor.templating import shipped

_CONFIGURATION = """
[storage]
var = "{var}"

[sending]
batch_size = 200
lanes = {lanes}
sweep_seconds = 0.5

[sandbox]
enabled = true
http_port = {http_port}
smtp_port = {smtp_port}
limits = {limits}

[accounts.bot]
channel = "telegram"
base_url = "http://127.0.0.1:{http_port}/bot"
token_file = "{token}"
connections = {lanes}
{rate}
"""
#: No limit of ours either: what the programs can do.
_UNLIMITED = "max_per_second = 100000"
_PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class TelegramFigures:
    recipients: int
    workers: int
    #: Whether the Bot API refused what was too fast, and the account kept its own limit.
    has_limits: bool
    #: From the hint to plan until the send was finished.
    seconds: float
    #: From the first message to the last, as the Bot API saw them.
    messages_per_second: float
    #: Most messages within any second, as the Bot API saw them.
    busiest_second: int
    #: Messages that the Bot API refused as too many.
    refused_as_too_many: int
    #: Of the workers alone.
    cpu_ms_per_message: float
    books: Books

    def as_json(self) -> dict[str, object]:
        """The object of `bench telegram --json`."""
        return {
            "recipients": self.recipients,
            "workers": self.workers,
            "limits": self.has_limits,
            "seconds": round(self.seconds, 3),
            "messages_per_second": round(self.messages_per_second, 1),
            "busiest_second": self.busiest_second,
            "refused_as_too_many": self.refused_as_too_many,
            "cpu_ms_per_message": round(self.cpu_ms_per_message, 3),
            "books": self.books.as_json(),
        }


def run(recipients: int, *, workers: int, lanes: int, has_limits: bool) -> TelegramFigures:
    """Post the sample edition to `recipients` private chats of the sandbox's Bot API."""
    with tempfile.TemporaryDirectory(prefix="distributor-bench-") as folder:
        environ = {"DISTRIBUTOR_CONFIG": str(_configure(Path(folder), lanes, has_limits))}
        os.environ.update(environ)
        context = build(load(environ=environ))
        control = f"http://127.0.0.1:{context.settings.sandbox.http_port}/control"
        program = (sys.executable, "-m", "distributor")
        platform = [("sandbox", (*program, "sandbox"))]
        others = [
            ("control", (*program, "worker", "--channel", CONTROL_QUEUE)),
            ("scheduler", (*program, "scheduler")),
        ]
        posting = [
            (f"worker-{number}", (*program, "worker", "--channel", CHANNEL.name))
            for number in range(1, workers + 1)
        ]
        with redis_at_hand(context.settings), stage.programs(Path(folder), platform):
            with stage.programs(Path(folder), others), stage.programs(Path(folder), posting):
                send_id = stage.write_audience(context, CHANNEL.name, "1{number:07}", recipients)
                stage.await_roles(context, [worker_role(CHANNEL.name)], workers)
                stage.await_roles(context, [worker_role(CONTROL_QUEUE), SCHEDULER], 1)
                course = stage.watch(context, send_id)
            # The workers have ended, the sandbox has not.
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            times = _arrivals(control)
            refused = requests.get(f"{control}/attempts", timeout=_PATIENCE_SECONDS).json()
    too_many = sum(
        number for code, number in refused["telegram"]["refused"].items() if code.startswith("429")
    )
    return TelegramFigures(
        recipients=recipients,
        workers=workers,
        has_limits=has_limits,
        seconds=course.seconds,
        messages_per_second=(len(times) - 1) / max(times[-1] - times[0], 1e-6),
        busiest_second=_busiest_second(times),
        refused_as_too_many=too_many,
        cpu_ms_per_message=(used.ru_utime + used.ru_stime) * 1000 / recipients,
        books=course.books,
    )


def _configure(folder: Path, lanes: int, has_limits: bool) -> Path:
    path = folder / "bench.toml"
    http_port, smtp_port = _free_ports()
    path.write_text(
        _CONFIGURATION.format(
            var=folder / "var",
            lanes=lanes,
            http_port=http_port,
            smtp_port=smtp_port,
            limits=str(has_limits).lower(),
            token=shipped("config") / "sandbox-telegram.token",
            rate="" if has_limits else _UNLIMITED,
        ),
        encoding="utf-8",
    )
    return path


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _arrivals(control: str) -> list[float]:
    """When each message was accepted, in seconds, in order."""
    answer = requests.get(
        f"{control}/messages", params={"platform": "telegram"}, timeout=_PATIENCE_SECONDS
    )
    return sorted(datetime.fromisoformat(one["at"]).timestamp() for one in answer.json())


def _busiest_second(times: Sequence[float]) -> int:
    most = first = 0
    for last, at in enumerate(times):
        while times[first] <= at - 1:
            first += 1
        most = max(most, last - first + 1)
    return most
