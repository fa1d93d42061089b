"""The Celery application: its settings and its tasks, which carry ids only."""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu import Exchange, Queue

from channels import registry
from distributor.engine import broker, courier, hints, planner, retention, sweeper, ticks, transport
from distributor.engine.context import Context
from distributor.engine.hints import CONTROL_QUEUE, CeleryHints, hint_due
from distributor.ledger import hinting
from distributor.settings import Settings

#: Longer than any task runs: well beyond `courier.LONGEST_TASK_SECONDS`.
_VISIBILITY_SECONDS = 600
#: No transaction of a sweep takes longer, with a million deliveries in the ledger, unless it hangs.
_LONGEST_LOOK_SECONDS = 300.0


def create_app(settings: Settings) -> Celery:
    """A Celery application that can send tasks; `add_tasks` lets it run them too."""
    transport.register()
    app = Celery("distributor", broker=broker.url(settings))
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_queues=[_queue(name) for name in (CONTROL_QUEUE, *registry.names())],
        task_default_queue=CONTROL_QUEUE,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": _VISIBILITY_SECONDS,
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
            "global_keyprefix": "distributor:",
        },
        beat_scheduler="distributor.engine.ticker:Ticker",
        beat_max_loop_interval=settings.sending.sweep_seconds,
        beat_schedule=_schedule(settings),
    )
    return app


def _schedule(settings: Settings) -> dict[str, dict[str, Any]]:
    every = {hints.SWEEP: settings.sending.sweep_seconds}
    if settings.retention.attempts_days:
        every[hints.DROP_OLD_ATTEMPTS] = retention.EVERY_SECONDS
    if settings.retention.letters_days:
        every[hints.DROP_OLD_LETTERS] = retention.LETTERS_EVERY_SECONDS
    return {
        task: {"task": task, "schedule": seconds, "options": {"queue": CONTROL_QUEUE}}
        for task, seconds in every.items()
    }


def _queue(name: str) -> Queue:
    # An exchange of its own: those that share one get each other's messages.
    return Queue(name, Exchange(name, type="direct"), routing_key=name)


def add_tasks(app: Celery, context: Context) -> None:
    """Register the tasks, bound to this process's `context`."""
    to_workers = CeleryHints(app)
    redis = broker.client(context.settings)

    @app.task(name=hints.PREPARE, shared=False)
    def prepare(send_id: int) -> None:
        if planner.prepare(context, send_id):
            while hint_due(context, to_workers, sweeper.HINT_LIFE_SECONDS):
                pass

    @app.task(name=hints.DELIVER, shared=False)
    def deliver(batch_id: int) -> None:
        # Each of its transactions is short; what takes so long hangs, while the lease runs.
        with context.ledger.patience(context.leases.lease.total_seconds() / 2):
            courier.deliver_batch(context, batch_id)

    @app.task(name=hints.SWEEP, shared=False)
    def sweep() -> None:
        if not ticks.may_begin(redis, hints.SWEEP, context.settings.sending.sweep_seconds):
            return
        with context.ledger.patience(_LONGEST_LOOK_SECONDS):
            if broker.was_emptied(redis):
                # Every hint is gone with it: nothing in the ledger counts as hinted any more.
                with context.ledger.write() as connection:
                    hinting.forget_hints(connection, registry.names())
            sweeper.sweep(context, to_workers)
        ticks.sweep_ended(redis)

    @app.task(name=hints.DROP_OLD_ATTEMPTS, shared=False)
    def drop_old_attempts() -> None:
        if ticks.may_begin(redis, hints.DROP_OLD_ATTEMPTS, retention.EVERY_SECONDS):
            with context.ledger.patience(_LONGEST_LOOK_SECONDS):
                retention.drop_old_attempts(context)

    @app.task(name=hints.DROP_OLD_LETTERS, shared=False)
    def drop_old_letters() -> None:
        if ticks.may_begin(redis, hints.DROP_OLD_LETTERS, retention.LETTERS_EVERY_SECONDS):
            with context.ledger.patience(_LONGEST_LOOK_SECONDS):
                retention.drop_old_letters(context)
