"""Hints over Celery: messages that carry ids only and may be lost, doubled or late."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from distributor.engine.context import Context, Hints
from distributor.ledger import hinting
from distributor.ledger.hinting import DueBatch

if TYPE_CHECKING:
    from celery import Celery

_log = logging.getLogger(__name__)

#: Queue of everything that is not a channel's delivery.
CONTROL_QUEUE = "control"
PREPARE = "distributor.prepare"
DELIVER = "distributor.deliver"
SWEEP = "distributor.sweep"
DROP_OLD_ATTEMPTS = "distributor.drop_old_attempts"
DROP_OLD_LETTERS = "distributor.drop_old_letters"

#: Batches that one look at the ledger puts into the queues.
_AT_ONCE = 2000
#: A channel with so many hints in its queue gets no more: they would pile up where no worker takes
#: them. They do not expire, because that would be judged by the clock of whoever takes them.
_LONG_QUEUE = 2000
#: A hint that is in no queue, and of whose batch nobody has the lease after so many seconds, was
#: lost with a worker; or waits in one for a lane, so not too many of a channel are given again at a
#: time.
_TAKEN_UP_SECONDS = 5.0
_GIVEN_AGAIN = 100


class CeleryHints:
    """Puts hints into the queues: one queue per channel, so that none waits for another."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def prepare(self, send_ids: Sequence[int]) -> None:
        self._send([(PREPARE, send_id, CONTROL_QUEUE) for send_id in send_ids])

    def deliver(self, due: Sequence[DueBatch]) -> None:
        self._send([(DELIVER, batch.id, batch.channel) for batch in due])

    def waiting(self, channels: Collection[str]) -> Mapping[str, int]:
        try:
            with self._app.producer_pool.acquire(block=True, timeout=10) as producer:
                declare = producer.channel.queue_declare
                return {channel: int(declare(channel).message_count) for channel in channels}
        except _redis_away() as error:
            _log.info("the queues cannot be measured: %s", error)
            return {}

    def _send(self, tasks: Sequence[tuple[str, int, str]]) -> None:
        if not tasks:
            return
        try:
            with self._app.producer_pool.acquire(block=True, timeout=10) as producer:
                for name, argument, queue in tasks:
                    self._app.send_task(
                        name, args=[argument], queue=queue, producer=producer, retry=False
                    )
        except _redis_away() as error:
            _log.info("%s hints were not queued, the sweeper will: %s", len(tasks), error)


def _redis_away() -> tuple[type[Exception], ...]:
    from kombu.exceptions import OperationalError
    from redis import RedisError

    return (OperationalError, RedisError, OSError)


class NoHints:
    """For when nobody could hear them: the sweeper finds the work in the ledger."""

    def prepare(self, send_ids: Sequence[int]) -> None:
        pass

    def deliver(self, due: Sequence[DueBatch]) -> None:
        pass

    def waiting(self, channels: Collection[str]) -> Mapping[str, int]:  # noqa: ARG002
        return {}


def hint_due(context: Context, hints: Hints, again_after_seconds: float) -> int:
    """Queue the batches that are due and were not hinted lately; returns how many.

    None for a channel whose queue is long. Where it is empty, hints that were not taken up were
    lost, and are given again soon.
    """
    at = context.now()
    waiting = hints.waiting({one.channel for one in context.settings.accounts.values()})
    long = {channel for channel, number in waiting.items() if number >= _LONG_QUEUE}
    empty = {channel for channel, number in waiting.items() if number == 0}
    with context.ledger.write() as connection:
        taken_up = at - timedelta(seconds=_TAKEN_UP_SECONDS)
        for channel in sorted(empty):
            # Each for itself, or one with many batches would leave the others none.
            hinting.forget_hints(connection, [channel], before=taken_up, limit=_GIVEN_AGAIN)
        due = hinting.to_hint(
            connection,
            at=at,
            again_after_seconds=again_after_seconds,
            limit=_AT_ONCE,
            leave_out=long,
        )
    hints.deliver(due)
    return len(due)
