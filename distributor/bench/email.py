"""How fast email leaves: ledger, workers, personalising, signing, sending, recording."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from channels.base import Edition, Recipient
from channels.email import CHANNEL
from channels.email.account import EmailAccount
from channels.email.assemble import Assembler
from channels.email.dkim_keys import KeyKind, generate
from distributor.bench import sink, stage
from distributor.bench.sink import Sink
from distributor.engine.context import Context, build
from distributor.engine.heartbeat import SCHEDULER, worker_role
from distributor.engine.hints import CONTROL_QUEUE
from distributor.engine.processes import redis_at_hand
from distributor.ledger.books import Books
from distributor.operations.demo import sample_digest
from distributor.operations.editions import load as load_edition
from distributor.settings import load

_ACCOUNT = "relay"
_CONFIGURATION = """
[storage]
var = "{var}"

[web]
public_url = "https://news.example.org"

[sending]
batch_size = 500
lanes = {lanes}
sweep_seconds = 0.5

[sandbox]
enabled = false

[accounts.relay]
channel = "email"
host = "127.0.0.1"
port = {port}
security = "none"
from_address = "daily@news.example.org"
envelope_from = "bounces@news.example.org"
messages_per_connection = 1000
"""
_DKIM = """
dkim_{kind}_selector = "{kind}"
dkim_{kind}_key_file = "{path}"
"""
#: Messages with which the sink's own limit is measured.
_LIMIT_MESSAGES = 5000


class Signing(StrEnum):
    NONE = "none"
    RSA = "rsa"
    ED25519 = "ed25519"
    #: With both, as mail should be.
    BOTH = "both"

    @property
    def kinds(self) -> tuple[KeyKind, ...]:
        return tuple(kind for kind in KeyKind if self in (Signing.BOTH, Signing(kind.value)))


@dataclass(frozen=True, slots=True)
class EmailFigures:
    recipients: int
    seconds: float
    #: Of all programs of ours, without the sink.
    cpu_ms_per_message: float
    #: Of the largest single process.
    peak_rss_mb: float
    books: Books
    signing: Signing
    #: Of one message, signatures included.
    message_bytes: int
    sink: str
    sink_cpu_ms_per_message: float
    #: What `smtp-source` gets rid of at the same sink; None when it is not installed.
    sink_per_second: float | None
    #: What the naive pipeline does with as many processes; None when it was not asked for.
    naive_per_second: float | None

    @property
    def per_second(self) -> float:
        return self.recipients / self.seconds

    def as_json(self) -> dict[str, object]:
        """The object of `bench email --json`."""
        return {
            "recipients": self.recipients,
            "seconds": round(self.seconds, 3),
            "messages_per_second": round(self.per_second),
            "cpu_ms_per_message": round(self.cpu_ms_per_message, 3),
            "peak_rss_mb": round(self.peak_rss_mb, 1),
            "books": self.books.as_json(),
            "signing": self.signing.value,
            "message_bytes": self.message_bytes,
            "sink": self.sink,
            "sink_cpu_ms_per_message": round(self.sink_cpu_ms_per_message, 3),
            "sink_messages_per_second": self.sink_per_second and round(self.sink_per_second),
            "naive_messages_per_second": self.naive_per_second and round(self.naive_per_second),
        }


def run(
    recipients: int,
    *,
    workers: int,
    lanes: int,
    signing: Signing,
    database: str | None,
    naive: int,
) -> EmailFigures:
    """Send the sample edition to `recipients` at a sink on this machine.

    `database`: URL of an empty database; None: SQLite in a temporary folder. `naive`: how many
    messages the naive pipeline sends for comparison, 0 for none. Raises `OperationError` when
    the database holds subscribers already.
    """
    with (
        tempfile.TemporaryDirectory(prefix="distributor-bench-") as folder,
        sink.running() as target,
    ):
        environ = _configure(Path(folder), target, lanes, signing, database)
        os.environ.update(environ)
        context = build(load(environ=environ))
        octets = _message_bytes(context)
        with redis_at_hand(context.settings):
            # First, because afterwards its processes could not be told from those measured.
            with stage.programs(Path(folder), _commands(workers)):
                send_id = stage.write_audience(
                    context, CHANNEL.name, "reader-{number:07}@readers.example", recipients
                )
                stage.await_roles(context, [worker_role(CHANNEL.name)], workers)
                stage.await_roles(context, [SCHEDULER], 1)
                before = target.cpu_seconds
                course = stage.watch(context, send_id)
                sink_cpu = target.cpu_seconds - before
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return EmailFigures(
            recipients=recipients,
            seconds=course.seconds,
            cpu_ms_per_message=(used.ru_utime + used.ru_stime) * 1000 / recipients,
            peak_rss_mb=used.ru_maxrss / 1024,
            books=course.books,
            signing=signing,
            message_bytes=octets,
            sink=target.name,
            sink_cpu_ms_per_message=sink_cpu * 1000 / recipients,
            sink_per_second=target.limit(_LIMIT_MESSAGES, octets),
            naive_per_second=_naive(Path(folder), target, workers, naive, signing),
        )


def _configure(
    folder: Path, target: Sink, lanes: int, signing: Signing, database: str | None
) -> Mapping[str, str]:
    text = _CONFIGURATION.format(var=f"{folder}/var", lanes=lanes, port=target.port)
    for kind in signing.kinds:
        path = _key_file(folder, kind)
        path.write_text(generate(kind), encoding="ascii")
        text += _DKIM.format(kind=kind, path=path)
    config = folder / "bench.toml"
    config.write_text(text, encoding="utf-8")
    environ = {"DISTRIBUTOR_CONFIG": str(config)}
    return environ if database is None else {**environ, "DISTRIBUTOR_DATABASE_URL": database}


def _key_file(folder: Path, kind: KeyKind) -> Path:
    return folder / f"{kind}.pem"


def _commands(workers: int) -> list[tuple[str, list[str]]]:
    program = [sys.executable, "-m", "distributor"]
    queues = ["--channel", CONTROL_QUEUE, "--channel", CHANNEL.name]
    commands = [(f"worker-{index + 1}", [*program, "worker", *queues]) for index in range(workers)]
    return [*commands, ("scheduler", [*program, "scheduler"])]


def _message_bytes(context: Context) -> int:
    account = context.settings.accounts[_ACCOUNT]
    assert isinstance(account, EmailAccount)  # noqa: S101
    edition = Edition(
        load_edition(sample_digest(), context.settings).digest,
        f"{context.settings.public_url}/editions/0123456789abcdef",
        context.settings.publisher_card(),
        context.templates,
    )
    payload = CHANNEL.render(edition, account).parts[0].payload
    url = f"{context.settings.public_url}/unsubscribe/{context.tokens.issue(1, 1)}"
    reader = Recipient("reader-0000001@readers.example", "1-1-1", unsubscribe_url=url)
    return len(Assembler(account).assemble(payload, reader, context.now()).content)


def _naive(
    folder: Path, target: Sink, processes: int, messages: int, signing: Signing
) -> float | None:
    """Messages a second of the naive pipeline in so many processes at once."""
    if messages == 0:
        return None
    key = str(_key_file(folder, KeyKind.RSA)) if KeyKind.RSA in signing.kinds else "-"
    command = [sys.executable, "-m", "distributor.bench.naive", str(target.port), str(messages)]
    running = [
        subprocess.Popen([*command, key], stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    seconds = [float(process.communicate()[0]) for process in running]
    return processes * messages / max(seconds)
