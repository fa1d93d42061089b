"""The scheduler's own rule for its ticks."""

from __future__ import annotations

from typing import Any

from celery.beat import ScheduleEntry, Scheduler

#: Tasks that may wait in a queue before the scheduler adds no more ticks to it.
_MOST_WAITING = 1000


class Ticker(Scheduler):  # type: ignore[misc]  # Celery has no types
    """Celery's scheduler, but ticks do not pile up without end where nobody takes them."""

    def apply_async(
        self, entry: ScheduleEntry, producer: Any = None, advance: bool = True, **options: Any
    ) -> Any:
        queue = entry.options["queue"]
        if producer is not None and _waiting(producer, queue) >= _MOST_WAITING:
            return None
        return super().apply_async(entry, producer=producer, advance=advance, **options)


def _waiting(producer: Any, queue: str) -> int:
    declared = producer.channel.queue_declare(queue)
    return int(declared.message_count)
