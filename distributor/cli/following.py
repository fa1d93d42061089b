"""Staying with sends until they are over, with workers of their own where nobody else has any."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import typer

from distributor.cli import progress
from distributor.cli.delivery import print_outcome
from distributor.cli.output import err, print_json, status
from distributor.engine.context import Context
from distributor.engine.hints import NoHints
from distributor.ledger.states import DeliveryState, SendState
from distributor.operations import sending
from distributor.operations.runtime import Runtime
from distributor.operations.send_request import (
    AlreadySent,
    Held,
    Rehearsed,
    Repeated,
    SendRequest,
    SendResult,
    Started,
)
from distributor.operations.status import SendStatus
from distributor.operations.status import of_send as status_of

_START_PATIENCE_SECONDS = 45
_WORKING = (SendState.PREPARING, SendState.SENDING)
#: What shells expect of a program that Ctrl-C ended.
_INTERRUPTED = 130


def rehearse(context: Context, request: SendRequest) -> SendResult:
    """What the request would come to, as far as it can be told without Redis and platforms.

    Raises as `sending.start` does, and writes nothing.
    """
    return sending.start(context, NoHints(), replace(request, dry_run=True))


def to_follow(context: Context, result: SendResult) -> tuple[int, ...]:
    """The new send, and earlier ones of the same edition that an interruption left unfinished."""
    match result:
        case Started():
            ids = {result.send_id, *result.already.values()}
        case Rehearsed() | AlreadySent():
            ids = set(result.already.values())
        case Repeated():
            ids = {result.send_id}
        case Held():
            ids = set()
    return tuple(sorted(i for i in ids if status_of(context, i).send.state in _WORKING))


def follow(
    context: Context,
    send_id: int,
    runtime: Runtime | None,
    *,
    quiet: bool = False,
    go_on: str = "distributor up, or with the same command",
) -> SendStatus:
    """Show the send's progress until it is over; Ctrl-C ends the program, and says with `go_on`
    how what is left of the send gets done when nothing but `runtime` works on it.
    """
    tend = runtime.tend if runtime else (lambda: None)
    try:
        return progress.follow(context, send_id, quiet=quiet, tend=tend)
    except KeyboardInterrupt:
        total = status_of(context, send_id).books.total
        how = f"Workers carry on with it; follow it with: distributor status {send_id} --watch"
        if runtime is not None and runtime.take_lock():
            how = f"Nothing is lost; continue with: {go_on}"
        err.print(
            f"Interrupted with {total.ended:,} of {total.intended:,} of send {send_id} ended. "
            f"{how}.",
            markup=False,
            soft_wrap=True,
        )
        raise typer.Exit(_INTERRUPTED) from None


def tell_the_end(ended: Sequence[SendStatus], *, json: bool) -> None:
    """How the sends ended. Raises `typer.Exit` when one of them did not end well."""
    for one in ended:
        if json:
            print_json(one.as_json())
        else:
            print_outcome(one)
    if not all(map(_went_well, ended)):
        raise typer.Exit(1)


@contextmanager
def workers_for(context: Context, request: SendRequest) -> Iterator[Runtime | None]:
    """On one machine, whoever waits for a send sees to it that somebody works on it.

    What is wrong with the request or holds the edition is told before anything starts: raises as
    `sending.start` does.
    """
    if request.dry_run or not _needs_workers(context, request):
        yield None
        return
    runtime = Runtime(context.settings, web=False)
    with stopped_gently():
        try:
            with status("Starting the workers …"):
                runtime.start()
                runtime.wait_until_ready(_START_PATIENCE_SECONDS)
            yield runtime
        finally:
            runtime.stop()


@contextmanager
def stopped_gently() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, so that workers hand back what they hold."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _needs_workers(context: Context, request: SendRequest) -> bool:
    rehearsed = rehearse(context, request)
    is_work = isinstance(rehearsed, Rehearsed) or bool(to_follow(context, rehearsed))
    return is_work and context.settings.is_embedded_redis


def _went_well(ended: SendStatus) -> bool:
    total = ended.books.total
    nobody_got_it = total.intended > 0 and not total[DeliveryState.SENT]
    return ended.send.state is SendState.FINISHED and total.balanced and not nobody_got_it
