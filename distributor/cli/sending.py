"""`send`: bring an edition to its lists."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distributor.cli import session
from distributor.cli.following import follow, tell_the_end, to_follow, workers_for
from distributor.cli.output import err
from distributor.cli.send_report import report
from distributor.engine.context import Context, utc_now
from distributor.ledger.states import SendState
from distributor.operations import sending, start_time
from distributor.operations.errors import WrongRequest
from distributor.operations.runtime import idle_queues
from distributor.operations.send_request import Held, SendRequest, SendResult, Started


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
        str | None,
        typer.Option(
            metavar="TIME",
            help="Start then: ISO 8601, with an offset or followed by a zone such as "
            "Asia/Shanghai; without either, a time of this machine's zone.",
        ),
    ] = None,
    test: Annotated[
        str | None, typer.Option(help="Send only to this address, such as email:me@example.org.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, send nothing.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Send even if these lists already got this edition.")
    ] = False,
    idempotency_key: Annotated[
        str | None,
        typer.Option(help="Your own name for this request: repeating it makes no second send."),
    ] = None,
    force: Annotated[
        list[str] | None,
        typer.Option(
            "--force",
            metavar="CODE",
            help="Send although it would be held for CODE; this and your name are recorded.",
        ),
    ] = None,
    draft: Annotated[
        bool, typer.Option("--draft", help="Wait for approval before anything leaves.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Stay until every delivery has ended.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Send an edition to one or more lists.

    With the embedded Redis, --wait starts missing workers and stops them afterwards.

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
        at=start_time.read(at, utc_now()) if at is not None else None,
        test=test,
        again=again,
        force=tuple(force or ()),
        by=session.operator(),
        draft=draft,
        dry_run=dry_run,
        idempotency_key=idempotency_key,
    )
    if wait:
        _send_and_wait(request, json=json)
    else:
        _send(request, json=json)


def _send(request: SendRequest, *, json: bool) -> None:
    with session.context() as context:
        result = sending.start(context, session.hints(context), request)
        _tell(context, request, result, json=json)


def _send_and_wait(request: SendRequest, *, json: bool) -> None:
    with session.context() as context, workers_for(context, request) as runtime:
        result = sending.start(context, session.hints(context), request)
        followed = to_follow(context, result)
        if not followed:
            _tell(context, request, result, json=json)
            return
        if not json:
            report(request.path, result, json=False)
        ended = [follow(context, send_id, runtime, quiet=json) for send_id in followed]
    tell_the_end(ended, json=json)


def _tell(context: Context, request: SendRequest, result: SendResult, *, json: bool) -> None:
    """What came of the request. Raises `typer.Exit` when the edition is held."""
    report(request.path, result, json=json)
    if isinstance(result, Held):
        raise typer.Exit(1)
    if isinstance(result, Started) and not json:
        _warn_of_idle_workers(context, result)


def _warn_of_idle_workers(context: Context, started: Started) -> None:
    if started.state is not SendState.PREPARING:
        return
    if idle := idle_queues(context.settings, started.recipients):
        err.print(
            f"No worker is running for {', '.join(idle)}: the send waits in the ledger until one "
            "is. Start everything with: distributor up",
            style="yellow",
            markup=False,
            soft_wrap=True,
        )
