"""`demo`: one edition to sample subscribers on all channels, in the sandbox."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Annotated

import typer

from distributor.cli import session
from distributor.cli.delivery import print_outcome
from distributor.cli.following import follow, rehearse, stopped_gently
from distributor.cli.output import out, program, status
from distributor.cli.send_report import print_held
from distributor.engine.context import Context
from distributor.ledger.states import SendState
from distributor.operations import demo as operation
from distributor.operations import sending
from distributor.operations.errors import OperationError
from distributor.operations.runtime import Runtime, sandbox_answers
from distributor.operations.send_request import Held, SendRequest, Started
from distributor.operations.status import SendStatus
from distributor.settings import Settings

_START_PATIENCE_SECONDS = 60


def register(root: typer.Typer) -> None:
    """Add `demo` to the program's commands."""
    root.command()(demo)


def demo(
    file: Annotated[
        Path | None, typer.Argument(help="An edition; by default the shipped sample.")
    ] = None,
) -> None:
    """Send an edition to sample subscribers on all channels, into the sandbox.

    Starts everything it needs, stops it afterwards, and shows what became of everybody.

    Example: distributor demo content/posts/20251203.md
    """
    settings = _settings_with_free_ports()
    operation.require_sandbox(settings)
    path = file or operation.sample_digest()
    request = SendRequest(path=path, lists=(operation.LIST,), again=True)
    with session.context() as context:
        operation.gather_audience(context)
        rehearsed = rehearse(context, request)
        if isinstance(rehearsed, Held):
            print_held(path, rehearsed)
            raise typer.Exit(1)
        ended = _send(context, request)
        page = _snapshot(settings)
    print_outcome(ended)
    _say_what_was_meant()
    _say_where_to_look(settings, ended, page)
    if ended.send.state is not SendState.FINISHED or not ended.books.total.balanced:
        raise typer.Exit(1)


def _send(context: Context, request: SendRequest) -> SendStatus:
    """Start everything, bring the edition to everybody, and stop everything."""
    runtime = Runtime(context.settings, web=False)
    with stopped_gently():
        try:
            with status("Starting Redis, workers and the sandbox …"):
                runtime.start()
                runtime.wait_until_ready(_START_PATIENCE_SECONDS)
            operation.misbehave(context.settings)
            result = sending.start(context, session.hints(context), request)
            if not isinstance(result, Started):
                raise OperationError(f"{request.path} was not sent; look at: distributor status")
            title = result.edition.digest.title
            out.print(f"Sending “{title}” to the list {operation.LIST}.", markup=False)
            return follow(context, result.send_id, runtime, go_on=f"{program()} up")
        finally:
            runtime.stop()


def _snapshot(settings: Settings) -> Path:
    from distributor.sandbox.snapshot import snapshot

    folder = settings.var / "sandbox"
    return snapshot(folder, settings.var / "demo.html", settings.storage.templates)


def _say_what_was_meant() -> None:
    out.print()
    out.print("Three readers were meant to make trouble:")
    for address, meant in (
        (operation.GONE, "refused for good, so suppressed; the next demo lifts that"),
        (operation.BUSY, "refused twice, then taken"),
        (operation.OPTED_OUT, "asked us to stop, so left out"),
    ):
        out.print(f"  {address:34} {meant}", markup=False, soft_wrap=True)


def _say_where_to_look(settings: Settings, ended: SendStatus, page: Path) -> None:
    send, host = ended.send.id, settings.sandbox.host
    out.print()
    out.print("Where to look:")
    for what, where in (
        ("what subscribers see", page.as_uri()),
        ("every attempt", f"{program()} log {send}"),
        ("one reader", f"{program()} log {send} --subscriber {operation.BUSY}"),
        ("all of it, live", f"{program()} up"),
        ("", f"then http://{host}:{settings.sandbox.http_port}/ and {settings.public_url}/"),
    ):
        out.print(f"  {what:22} {where}", markup=False, soft_wrap=True)


def _settings_with_free_ports() -> Settings:
    """The settings, with other ports for the sandbox when something else has taken its own."""
    settings = session.settings()
    sandbox = settings.sandbox
    taken = [p for p in (sandbox.http_port, sandbox.smtp_port) if _is_taken(sandbox.host, p)]
    if not taken or sandbox_answers(settings):
        return settings
    operation.require_sandbox(settings)
    http_port, smtp_port = _free_port(sandbox.host), _free_port(sandbox.host)
    changes = {"SANDBOX_HTTP_PORT": str(http_port), "SANDBOX_SMTP_PORT": str(smtp_port)}
    for account in settings.accounts.values():
        variable = f"ACCOUNTS_{account.name}".upper().replace("-", "_")
        if url := str(account.model_dump().get("base_url") or ""):
            old = f":{sandbox.http_port}"
            changes[f"{variable}_BASE_URL"] = url.replace(old, f":{http_port}", 1)
        else:
            changes[f"{variable}_PORT"] = str(smtp_port)
    # Also for the processes that this one starts.
    os.environ.update({f"DISTRIBUTOR_{name}": value for name, value in changes.items()})
    out.print(f"Port {taken[0]} is taken; the sandbox uses {http_port} and {smtp_port}.")
    return session.settings()


def _is_taken(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port
