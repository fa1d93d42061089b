"""Hints over Celery: messages that carry ids only and may be lost, doubled or late."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from distributor.engine.context import Context, Hints
from distributor.ledger import batches
from distributor.ledger.batches import DueBatch

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

#: The sweeper hints again, so that old hints need not pile up where no worker takes them.
_HINT_EXPIRES_SECONDS = 60
#: Batches that one look at the ledger puts into the queues.
_AT_ONCE = 2000


class CeleryHints:
    """Puts hints into the queues: one queue per channel, so that none waits for another."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def prepare(self, send_ids: Sequence[int]) -> None:
        self._send([(PREPARE, send_id, CONTROL_QUEUE) for send_id in send_ids])

    def deliver(self, due: Sequence[DueBatch]) -> None:
        self._send([(DELIVER, batch.id, batch.channel) for batch in due])

    def _send(self, tasks: Sequence[tuple[str, int, str]]) -> None:
        if not tasks:
            return
        from kombu.exceptions import OperationalError
        from redis import RedisError

        try:
            with self._app.producer_pool.acquire(block=True, timeout=10) as producer:
                for name, argument, queue in tasks:
                    self._app.send_task(
                        name,
                        args=[argument],
                        queue=queue,
                        producer=producer,
                        retry=False,
                        expires=_HINT_EXPIRES_SECONDS,
                    )
        except (OperationalError, RedisError, OSError) as error:
            _log.info("%s hints were not queued, the sweeper will: %s", len(tasks), error)


class NoHints:
    """For when nobody could hear them: the sweeper finds the work in the ledger."""

    def prepare(self, send_ids: Sequence[int]) -> None:
        pass

    def deliver(self, due: Sequence[DueBatch]) -> None:
        pass


def hint_due(context: Context, hints: Hints, again_after_seconds: float) -> int:
    """Queue the batches that are due and were not hinted lately; returns how many."""
    at = context.now()
    with context.ledger.write() as connection:
        due = batches.to_hint(
            connection, at=at, again_after_seconds=again_after_seconds, limit=_AT_ONCE
        )
    hints.deliver(due)
    return len(due)
