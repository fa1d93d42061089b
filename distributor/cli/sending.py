"""`send`: bring an edition to its lists."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from distributor.cli import progress, session
from distributor.cli.delivery import print_outcome
from distributor.cli.output import err, out, print_json, status
from distributor.engine.context import Context
from distributor.ledger.states import DeliveryState, SendState
from distributor.operations import sending
from distributor.operations.errors import WrongRequest
from distributor.operations.runtime import Runtime
from distributor.operations.sending import SendRequest, SendResult
from distributor.operations.status import SendStatus

_START_PATIENCE_SECONDS = 45


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
    request = SendRequest(
        path=file,
        lists=tuple(lists or ()),
        channels=tuple(channels or ()),
        at=_time(at),
        test=test,
        again=again,
        dry_run=dry_run,
    )
    if request.at is not None and wait:
        raise WrongRequest("--at and --wait do not go together; follow it with: distributor status")
    with session.context() as context, _workers(context, wanted=wait and not dry_run) as runtime:
        result = sending.start(context, session.hints(context), request)
        if not _started(result):
            _report(result, json)
            raise typer.Exit(1 if result.held else 0)
        assert result.send_id is not None  # noqa: S101
        if not wait:
            _report(result, json)
            return
        if not json:
            _report(result, json)
        tend = runtime.tend if runtime else (lambda: None)
        ended = progress.follow(context, result.send_id, quiet=json, tend=tend)
    _finish(ended, json)


def _started(result: SendResult) -> bool:
    return result.send_id is not None and result.state is not SendState.HELD


def _finish(ended: SendStatus, json: bool) -> None:
    if json:
        print_json(ended.as_json())
    else:
        print_outcome(ended)
    total = ended.books.total
    nobody_got_it = total.intended > 0 and not total[DeliveryState.SENT]
    if ended.send.state is not SendState.FINISHED or not total.balanced or nobody_got_it:
        raise typer.Exit(1)


@contextmanager
def _workers(context: Context, *, wanted: bool) -> Iterator[Runtime | None]:
    """On one machine, whoever waits for a send sees to it that somebody works on it."""
    if not wanted or not context.settings.is_embedded_redis:
        yield None
        return
    runtime = Runtime(context.settings, web=False)
    try:
        runtime.start()
        with status("Starting the workers …"):
            runtime.wait_until_ready(_START_PATIENCE_SECONDS)
        yield runtime
    finally:
        runtime.stop()


def _report(result: SendResult, json: bool) -> None:
    if json:
        print_json(_as_json(result))
        return
    for reason in result.held:
        err.print(f"✕ held, {reason.code}: {reason.message}", style="red", markup=False)
    for (name, channel), send_id in (result.already or {}).items():
        out.print(
            f"{name} on {channel} had this edition with send {send_id}; "
            "to send it once more: --again",
            markup=False,
        )
    if result.held:
        return
    if result.recipients is None:
        out.print("Nothing to send.")
        return
    numbers = ", ".join(f"{number:,} on {name}" for name, number in result.recipients.items())
    title = result.edition.digest.title
    if result.send_id is None:
        out.print(f"Would send “{title}” to {numbers}. Nothing was sent.", markup=False)
    else:
        verb = "is scheduled" if result.state is SendState.SCHEDULED else "is on its way"
        line = f"Send {result.send_id} {verb}: “{title}” to {numbers}."
        out.print(line, markup=False)


def _as_json(result: SendResult) -> dict[str, object]:
    return {
        "send": result.send_id,
        "digest": result.edition.digest.revision,
        "state": result.state.value if result.state else None,
        "recipients": result.recipients,
        "held": [{"code": r.code, "message": r.message} for r in result.held],
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
