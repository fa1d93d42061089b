"""What every benchmark of the real path needs: an audience, workers, and a send to watch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from distributor.engine import broker, heartbeat
from distributor.engine.app import create_app
from distributor.engine.children import Program, Supervisor
from distributor.engine.context import Context
from distributor.engine.hints import CeleryHints
from distributor.ledger import books, digests, sends
from distributor.ledger.books import Books
from distributor.ledger.states import SendState
from distributor.ledger.tables import lists, memberships, subscribers
from distributor.operations.demo import sample_digest
from distributor.operations.editions import load as load_edition
from distributor.operations.errors import OperationError

_CHUNK = 10_000
_LOOK_SECONDS = 0.1
_PATIENCE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Course:
    """How a send went."""

    #: From the hint to plan until the send was finished.
    seconds: float
    #: From the hint to plan until the deliveries were written.
    plan_seconds: float
    books: Books


@contextmanager
def programs(folder: Path, commands: Sequence[tuple[str, Sequence[str]]]) -> Iterator[None]:
    """Runs `commands`, each under its name, while the block runs; logs go to `folder`."""
    supervisor = Supervisor()
    supervisor.start()
    for name, command in commands:
        supervisor.add(Program(name, tuple(command), folder / f"{name}.log"))
    try:
        yield
    finally:
        supervisor.stop()


def await_roles(context: Context, roles: Sequence[str], number: int) -> None:
    """Return once each of `roles` is played by `number` processes."""
    with broker.client(context.settings) as client:
        while any(len(heartbeat.alive(client).get(role, [])) < number for role in roles):
            time.sleep(_LOOK_SECONDS)


def watch(context: Context, send_id: int) -> Course:
    """Have the send planned and follow it to its end. Raises `OperationError` after an hour."""
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
        if send.state is SendState.HELD:
            raise OperationError(f"the send is held: {send.held_reason}")
        if elapsed > _PATIENCE_SECONDS:
            raise OperationError(f"the send is still {send.state.value} after {elapsed:.0f} s")
        time.sleep(_LOOK_SECONDS)
    with context.ledger.read() as connection:
        counted = books.of_send(connection, send_id, exact=True).total
    return Course(elapsed, planned or elapsed, counted)


def write_audience(context: Context, channel: str, address: str, recipients: int) -> int:
    """A send of the sample edition to `recipients` subscribers; returns its id.

    `address` is a format with the `number` of the subscriber. Raises `OperationError` when the
    database holds subscribers already.
    """
    at = context.now()
    edition = load_edition(sample_digest())
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
        numbers = range(first, min(first + _CHUNK, recipients))
        rows = [
            {
                "channel": channel,
                "address": address.format(number=number),
                "attributes": {},
                "created_at": at,
            }
            for number in numbers
        ]
        _write_subscribers(context, list_id, rows, at)
    context.ledger.refresh_statistics(subscribers, memberships)
    with context.ledger.write() as connection:
        return sends.create(
            connection,
            digest_id=digest_id,
            state=SendState.PREPARING,
            audiences=[sends.Audience(list_id, channel)],
            at=at,
            deadline_at=at + timedelta(hours=12),
        )


def _write_subscribers(
    context: Context, list_id: int, rows: list[dict[str, object]], at: datetime
) -> None:
    with context.ledger.write() as connection:
        ids = connection.execute(sa.insert(subscribers).returning(subscribers.c.id), rows).scalars()
        connection.execute(
            sa.insert(memberships),
            [
                {"list_id": list_id, "subscriber_id": subscriber_id, "subscribed_at": at}
                for subscriber_id in ids
            ],
        )
