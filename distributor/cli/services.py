"""`up`, `worker`, `scheduler`, `web`, `bot` and `sandbox`: the programs that keep running."""

from __future__ import annotations

import threading
from functools import partial
from typing import Annotated

import typer

from channels import registry
from distributor import logs
from distributor.cli import session
from distributor.cli.output import out, status
from distributor.operations.errors import OperationError, WrongRequest
from distributor.operations.runtime import Runtime, log_folder
from distributor.settings import Settings

_START_PATIENCE_SECONDS = 60
#: A page must not stand still because Redis does.
_WEB_PATIENCE_SECONDS = 1


def register(root: typer.Typer) -> None:
    """Add the long-running programs to the program's commands."""
    for command in (up, worker, scheduler, web, bot, sandbox):
        root.command()(command)


def up() -> None:
    """Run everything on this machine until Ctrl-C: Redis, workers, scheduler, web, sandbox.

    Example: distributor up
    """
    settings = session.settings()
    with session.context():
        pass  # an unusable ledger is reported before anything starts
    runtime = Runtime(settings, web=True)
    if not runtime.take_lock():
        raise OperationError(
            f"another distributor already runs everything in {settings.var}; "
            "check it with: distributor doctor"
        )
    stopping = session.stop_signal()
    try:
        with status("Starting …"):
            runtime.start()
            runtime.wait_until_ready(_START_PATIENCE_SECONDS, lambda _missing: _end_if(stopping))
        _say_where(settings)
        while not stopping.wait(1):
            runtime.tend()
        out.print("Stopping …")
    finally:
        runtime.stop()


def worker(
    channels: Annotated[
        list[str] | None,
        typer.Option(
            "--channel",
            help="Work on this channel only, or on `control` (planning and sweeping); "
            "may be repeated. By default on everything.",
        ),
    ] = None,
) -> None:
    """Run one worker process until SIGTERM; it then hands back what it holds.

    Example: distributor worker --channel email
    """
    from distributor.engine import processes
    from distributor.engine.hints import CONTROL_QUEUE

    settings = session.settings()
    known = (CONTROL_QUEUE, *registry.names())
    for name in channels or ():
        if name not in known:
            raise WrongRequest(f"--channel {name}: there are: {', '.join(known)}")
    logs.configure(settings)
    processes.run_worker(settings, list(dict.fromkeys(channels or known)))


def scheduler() -> None:
    """Run the scheduler until SIGTERM: it makes the sweeper look for due and finished work.

    Example: distributor scheduler
    """
    from distributor.engine import processes

    settings = session.settings()
    logs.configure(settings)
    processes.run_scheduler(settings)


def web() -> None:
    """Serve the web edition, the unsubscribe page, a status page, and metrics for Prometheus.

    Example: distributor web
    """
    from distributor.operations import remarks, roster
    from distributor.operations.metrics import Metrics
    from distributor.web import server
    from distributor.web.app import create_app

    with session.context() as context:
        settings = context.settings
        logs.configure(settings)
        metrics = Metrics(settings, context.ledger)
        app = create_app(
            context.ledger,
            context.templates,
            settings.publisher_card(),
            settings.signing_secret(),
            look=partial(roster.look, settings, _WEB_PATIENCE_SECONDS),
            remark=partial(remarks.of_send, context.ledger, settings),
            public_url=settings.public_url,
            measure=metrics.text if settings.web.serves_metrics else None,
            base_url=settings.reading.base_url,
        )
        try:
            server.run(app, settings.web.host, settings.web.port)
        except server.WebError as error:
            raise OperationError(str(error)) from error


def bot(
    account: Annotated[
        str, typer.Option(help="The account whose bot to run; not needed when there is only one.")
    ] = "",
) -> None:
    """Let people subscribe in Telegram, and operators steer, until SIGTERM.

    It polls Telegram for their messages, or listens where the account's webhook_url points.

    Example: distributor bot --account bot
    """
    from channels.telegram.account import TelegramAccount
    from distributor.bot import service
    from distributor.engine.heartbeat import bot_role
    from distributor.engine.processes import beating, redis_at_hand

    with session.context() as context:
        settings = context.settings
        found = settings.accounts_of("telegram")
        if account:
            chosen = settings.account_named(account, "telegram")
        elif len(found) == 1:
            (chosen,) = found
        else:
            names = ", ".join(one.name for one in found) or "none"
            raise WrongRequest(
                f"which Telegram account? Name one with --account; there are: {names}"
            )
        assert isinstance(chosen, TelegramAccount)  # noqa: S101 - its channel's own type
        logs.configure(settings)
        with redis_at_hand(settings), beating(settings, [bot_role(chosen.name)]):
            try:
                service.run(context, session.hints(context), chosen)
            finally:
                context.connections.close()


def sandbox() -> None:
    """Run stand-ins for the platforms, with the platforms' own rules, and a page to see them.

    Example: distributor sandbox
    """
    from distributor.sandbox import server
    from distributor.sandbox.config import SandboxConfig, SandboxError

    settings = session.settings()
    config = SandboxConfig(
        folder=settings.var / "sandbox",
        host=settings.sandbox.host,
        smtp_port=settings.sandbox.smtp_port,
        http_port=settings.sandbox.http_port,
        has_limits=settings.sandbox.limits,
        templates_override=settings.storage.templates,
    )
    try:
        server.run(config)
    except SandboxError as error:
        raise OperationError(str(error)) from error


def _say_where(settings: Settings) -> None:
    out.print("Everything runs. Stop it with Ctrl-C.", style="bold")
    out.print(f"  status             {settings.public_url}/")
    if settings.sandbox.enabled:
        host, port = settings.sandbox.host, settings.sandbox.http_port
        out.print(f"  subscribers’ view  http://{host}:{port}/")
    out.print(f"  logs               {log_folder(settings)}", soft_wrap=True)


def _end_if(stopping: threading.Event) -> None:
    if stopping.is_set():
        raise typer.Exit
