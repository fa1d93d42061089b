"""`send`: bring an edition to its lists."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from distributor.cli import progress, session
from distributor.cli.delivery import print_outcome
from distributor.cli.output import err, out, print_json, status
from distributor.engine.context import Context
from distributor.engine.hints import NoHints
from distributor.ledger.states import DeliveryState, SendState
from distributor.operations import sending
from distributor.operations.errors import WrongRequest
from distributor.operations.runtime import Runtime, idle_queues
from distributor.operations.send_request import SendRequest, SendResult
from distributor.operations.status import SendStatus
from distributor.operations.status import of_send as status_of

_START_PATIENCE_SECONDS = 45
_WORKING = (SendState.PREPARING, SendState.SENDING)
#: What shells expect of a program that Ctrl-C ended.
_INTERRUPTED = 130


def register(root: typer.Typer) -> None:
    """Add `send` to the program's commands."""
    root.command()(send)


def send(
    file: Annotated[Path, typer.Argument(help="The edition, a Markdown file.")],
    lists: Annotated[
        list[str] | None, typer.Option("--list", help="A list to send to; may be repeated.")
    ] = None,
    channels: Annotated[
        list[str] | None, typer.Option("--channel", help="Only this channel; may be repeated.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="Start then, ISO 8601; this machine's zone unless given.")
    ] = None,
    test: Annotated[
        str | None, typer.Option(help="Send only to this address, such as email:me@example.org.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, send nothing.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Send even what these lists have had before.")
    ] = False,
    idempotency_key: Annotated[
        str | None,
        typer.Option(help="Your own name for this request: repeated under it, it makes one send."),
    ] = None,
    force: Annotated[
        list[str] | None,
        typer.Option(
            "--force",
            metavar="CODE",
            help="Send although it would be held for CODE; that and your name are recorded.",
        ),
    ] = None,
    draft: Annotated[
        bool, typer.Option("--draft", help="Let it go only once somebody approves it.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Stay until every delivery has ended.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Send an edition to one or more lists.

    With the embedded Redis, --wait starts the workers that are not running and stops them
    afterwards.

    Example: distributor send content/posts/20251203.md --list daily --wait
    """
    if wait and draft:
        raise WrongRequest("--draft and --wait do not go together; let it go with: approve SEND")
    if wait and at is not None:
        raise WrongRequest("--at and --wait do not go together; follow it with: distributor status")
    request = SendRequest(
        path=file,
        lists=tuple(lists or ()),
        channels=tuple(channels or ()),
        at=_time(at),
        test=test,
        again=again,
        force=tuple(force or ()),
        by=session.operator(),
        draft=draft,
        dry_run=dry_run,
        idempotency_key=idempotency_key,
    )
    with ExitStack() as stack:
        context = stack.enter_context(session.context())
        # What is wrong with the request or holds the edition is told before anything starts.
        needed = wait and not dry_run and _needs_workers(context, rehearse(context, request))
        runtime = stack.enter_context(_workers(context, wanted=needed))
        result = sending.start(context, session.hints(context), request)
        followed = _to_follow(context, result) if wait else ()
        if not (json and followed):
            _report(file, result, json)
        if not followed:
            if not json:
                _warn_of_idle_workers(context, result)
            raise typer.Exit(1 if result.held else 0)
        ended = [follow(context, send_id, runtime, quiet=json) for send_id in followed]
    _finish(ended, json)


def rehearse(context: Context, request: SendRequest) -> SendResult:
    """What the request would come to, as far as it can be told without Redis and platforms.

    Raises as `sending.start` does, and writes nothing.
    """
    return sending.start(context, NoHints(), replace(request, dry_run=True))


def print_held(file: Path, result: SendResult) -> None:
    """Why the edition does not go out, a line for each reason."""
    for reason in result.held:
        line = f"✕ {file}: held, {reason.code}: {reason.message}"
        err.print(line, style="red", markup=False, soft_wrap=True)


def _needs_workers(context: Context, rehearsed: SendResult) -> bool:
    return bool(rehearsed.recipients or _to_follow(context, rehearsed))


def _to_follow(context: Context, result: SendResult) -> tuple[int, ...]:
    """The new send, and earlier ones of the same edition that an interruption left unfinished."""
    ids = set((result.already or {}).values())
    working = {i for i in ids if status_of(context, i).send.state in _WORKING}
    if result.send_id is not None and result.state in _WORKING:
        working.add(result.send_id)
    return tuple(sorted(working))


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
        how = "Workers go on with it; see it with: distributor status --watch"
        if runtime is not None and runtime.take_lock():
            how = f"Nothing is lost; go on with: {go_on}"
        err.print(
            f"Interrupted with {total.ended:,} of {total.intended:,} of send {send_id} ended. "
            f"{how}.",
            markup=False,
            soft_wrap=True,
        )
        raise typer.Exit(_INTERRUPTED) from None


def _warn_of_idle_workers(context: Context, result: SendResult) -> None:
    if result.state is not SendState.PREPARING or not result.recipients:
        return
    if idle := idle_queues(context.settings, result.recipients):
        err.print(
            f"No worker runs for {', '.join(idle)}: the send waits in the ledger until one does. "
            "Start everything with: distributor up",
            style="yellow",
            markup=False,
            soft_wrap=True,
        )


def _finish(ended: Sequence[SendStatus], json: bool) -> None:
    for one in ended:
        if json:
            print_json(one.as_json())
        else:
            print_outcome(one)
    if not all(map(_went_well, ended)):
        raise typer.Exit(1)


def _went_well(ended: SendStatus) -> bool:
    total = ended.books.total
    nobody_got_it = total.intended > 0 and not total[DeliveryState.SENT]
    return ended.send.state is SendState.FINISHED and total.balanced and not nobody_got_it


@contextmanager
def _workers(context: Context, *, wanted: bool) -> Iterator[Runtime | None]:
    """On one machine, whoever waits for a send sees to it that somebody works on it."""
    if not wanted or not context.settings.is_embedded_redis:
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


def _report(file: Path, result: SendResult, json: bool) -> None:
    if json:
        print_json(_as_json(result))
        return
    for warning in result.warnings:
        line = f"{file}: {warning.code}: {warning.message}"
        err.print(line, style="yellow", markup=False, soft_wrap=True)
    print_held(file, result)
    for (name, channel), send_id in (result.already or {}).items():
        out.print(
            f"{name} on {channel} had this edition with send {send_id}; "
            "to send it once more: --again",
            markup=False,
            soft_wrap=True,
        )
    if result.held:
        codes = " ".join(f"--force {reason.code}" for reason in result.held)
        err.print(
            f"Nothing was sent. Correct the file and send it again, or send it as it is: {codes}",
            markup=False,
            soft_wrap=True,
        )
        return
    for reason in result.forced:
        line = f"{file}: forced, {reason.code}: {reason.message}"
        err.print(line, style="yellow", markup=False, soft_wrap=True)
    if result.is_repetition and result.state is not None:
        line = f"This request made send {result.send_id} before, which is {result.state.value}."
        out.print(line, markup=False)
        return
    if result.recipients is None:
        out.print("Nothing to send.")
        return
    numbers = ", ".join(f"{number:,} on {name}" for name, number in result.recipients.items())
    title = result.edition.digest.title
    if result.send_id is None:
        out.print(
            f"Would send “{title}” to {numbers}. Nothing was sent.", markup=False, soft_wrap=True
        )
    else:
        verb = {
            SendState.SCHEDULED: "is scheduled",
            SendState.DRAFT: "waits for somebody to approve it",
        }.get(result.state or SendState.PREPARING, "is on its way")
        line = f"Send {result.send_id} {verb}: “{title}” to {numbers}."
        out.print(line, markup=False, soft_wrap=True)


def _as_json(result: SendResult) -> dict[str, object]:
    return {
        "send": result.send_id,
        "digest": result.edition.digest.revision,
        "state": result.state.value if result.state else None,
        "repetition": result.is_repetition,
        "recipients": result.recipients,
        "held": [{"code": r.code, "message": r.message} for r in result.held],
        "forced": [{"code": r.code, "message": r.message} for r in result.forced],
        "warnings": [{"code": w.code, "message": w.message} for w in result.warnings],
        "already": [
            {"list": name, "channel": channel, "send": send_id}
            for (name, channel), send_id in (result.already or {}).items()
        ],
    }


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongRequest(
            f"--at {text}: not a time; write it like 2026-11-24T08:30 or 2026-11-24T08:30+08:00"
        ) from error
    return parsed.astimezone() if parsed.tzinfo is None else parsed
