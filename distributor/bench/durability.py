"""What it costs to write down that a message is about to leave, and what came of it.

Three places could hold these two facts: a journal on the worker's disk, the ledger with a
transaction for each fact, and Redis. All three survive a killed worker.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from channels import registry
from distributor.bench import engine
from distributor.bench.null_channel import NullChannel
from distributor.engine import broker, planner
from distributor.engine.context import Context, build
from distributor.engine.journal import Journal
from distributor.engine.processes import redis_at_hand
from distributor.ledger import answers, batches, deliveries, tables
from distributor.ledger.answers import Answer
from distributor.ledger.attempts import Attempt
from distributor.ledger.batches import Claim
from distributor.ledger.deliveries import Change, Pending
from distributor.ledger.states import DeliveryState
from distributor.settings import load


@dataclass(frozen=True, slots=True)
class Cost:
    """What two facts about one message cost, one lane at work."""

    place: str
    microseconds: float

    def as_json(self) -> dict[str, object]:
        return {"place": self.place, "microseconds_per_message": round(self.microseconds, 1)}


def run(messages: int, database: str | None) -> tuple[Cost, ...]:
    """Write down `messages` messages in each place. `database` as in `engine.run`."""
    registry.register(NullChannel())
    with tempfile.TemporaryDirectory(prefix="distributor-bench-") as folder:
        os.environ.update(environ := engine.environment(Path(folder), database))
        context = build(load(environ=environ))
        claim, taken = _claimed(context, messages)
        kind = "SQLite" if context.ledger.is_sqlite else "PostgreSQL"
        with redis_at_hand(context.settings):
            ways: Mapping[str, Callable[[], None]] = {
                "journal on the worker's disk": lambda: _journal(context, claim, taken),
                "Redis, append-only": lambda: _redis(context, taken),
                f"ledger on {kind}, two transactions": lambda: _ledger(context, claim, taken),
            }
            costs = tuple(Cost(place, _time(way) / messages) for place, way in ways.items())
        context.ledger.close()
    return costs


def _time(way: Callable[[], None]) -> float:
    began = time.perf_counter()
    way()
    return (time.perf_counter() - began) * 1_000_000


def _claimed(context: Context, messages: int) -> tuple[Claim, Sequence[Pending]]:
    send_id = engine.write_audience(context, messages)
    planner.prepare(context, send_id)
    at = context.now()
    with context.ledger.write() as connection:
        connection.execute(sa.update(tables.deliveries).values(batch_id=1))
        claim = batches.claim(connection, 1, worker="bench", at=at, lease=context.leases.lease)
        assert claim is not None  # noqa: S101
        return claim, deliveries.due(connection, claim, at=at, limit=messages)


def _answer(context: Context, pending: Pending) -> Answer:
    attempt = Attempt(
        delivery_id=pending.id,
        part=1,
        number=1,
        at=context.now(),
        outcome=DeliveryState.SENT,
        code="smtp-250",
        reply="2.0.0 Ok: queued as 4XyZ12AbCd",
        message_id=f"<{pending.id}@bench.example>",
        worker="bench:1",
        duration_ms=3,
    )
    change = Change(DeliveryState.SENT, 1)
    return Answer(pending.subscriber_id, pending.address, attempt, change)


def _journal(context: Context, claim: Claim, taken: Sequence[Pending]) -> None:
    journal = Journal(context.journals, claim.token, worker="bench", batch_id=claim.batch_id)
    for pending in taken:
        journal.begin(pending.id)
        journal.end(_answer(context, pending))
    journal.remove()


def _redis(context: Context, taken: Sequence[Pending]) -> None:
    with broker.client(context.settings) as client:
        for pending in taken:
            client.hset("bench", str(pending.id), "begin")
            client.hset("bench", str(pending.id), repr(_answer(context, pending)))


def _ledger(context: Context, claim: Claim, taken: Sequence[Pending]) -> None:
    for pending in taken:
        with context.ledger.write() as connection:
            deliveries.take(connection, claim, [pending.id], context.now())
        with context.ledger.write() as connection:
            answers.record(connection, claim, [_answer(context, pending)])
