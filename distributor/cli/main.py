"""The program `distributor`: its options, its commands, and its last word on errors."""

from __future__ import annotations

import logging
import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from sqlalchemy.exc import DatabaseError, OperationalError
from typer.exceptions import TyperException

from channels.base import ChannelError
from distributor import __version__, loopback
from distributor.audience.errors import AudienceError, InvalidName, InvalidSubscriber
from distributor.cli import (
    bench,
    bounces,
    delivery,
    demo,
    digests,
    dkim,
    doctor,
    drill,
    editions,
    lists,
    receipt,
    sending,
    services,
    steering,
    subscribers,
)
from distributor.cli.commands import Commands
from distributor.cli.output import err
from distributor.digest.decoding import UnreadableDigest
from distributor.engine.embedded_redis import RedisUnavailable
from distributor.ledger.database import LedgerUnavailable
from distributor.operations.errors import OperationError, WrongRequest
from distributor.settings import SettingsError

FAILED = 1
WRONG_USAGE = 2

app = Commands(
    name="distributor",
    help="Brings a finished digest to every subscriber, and accounts for each.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(digests.app, name="digest")
app.add_typer(subscribers.app, name="subscribers")
app.add_typer(lists.app, name="lists")
app.add_typer(doctor.channels_app, name="channels")
app.add_typer(bench.app, name="bench")
app.add_typer(bounces.app, name="bounces")
app.add_typer(dkim.app, name="dkim")
digests.register(app)
editions.register(app, digests.app)
sending.register(app)
delivery.register(app)
steering.register(app)
receipt.register(app)
services.register(app)
doctor.register(app)
demo.register(app)
drill.register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    config: Annotated[
        Path | None,
        typer.Option(help="The configuration file; by default config/distributor.toml."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log what is going on to standard error.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    if config is not None:
        # Also for the processes that this one starts.
        os.environ["DISTRIBUTOR_CONFIG"] = str(config.absolute())
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    # They log full URLs, which hold bot tokens and robot keys.
    for name in ("httpx", "httpcore", "urllib3", "telegram"):
        logging.getLogger(name).setLevel(logging.WARNING)


def main() -> None:
    """Run the program; an error that a person can act on becomes one line and an exit code."""
    _write_utf8()
    loopback.bypass_proxies()
    try:
        try:
            code = app(standalone_mode=False)
        finally:
            # Here and not at the interpreter's end, where a closed pipe would be a traceback.
            sys.stdout.flush()
        sys.exit(code or 0)
    except TyperException as error:
        _end_for_usage(error)
    except typer.Abort:
        _end("stopped", FAILED)
    except (SettingsError, WrongRequest, InvalidName, InvalidSubscriber) as error:
        _end(error, WRONG_USAGE)
    except (
        OperationError,
        AudienceError,
        UnreadableDigest,
        LedgerUnavailable,
        RedisUnavailable,
        ChannelError,
    ) as error:
        _end(error, FAILED)
    except DatabaseError as error:
        # Its other subclasses are mistakes of ours.
        if type(error) not in (DatabaseError, OperationalError):
            raise
        _end(LedgerUnavailable(f"the ledger failed: {str(error.orig).strip()}"), FAILED)
    except BrokenPipeError:
        # The reader of our output, such as `head`, has enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write_utf8() -> None:
    """Editions and JSON are UTF-8 whatever the locale is."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8")


def _end_for_usage(error: TyperException) -> NoReturn:
    words = error.format_message().replace("Value error, ", "").rstrip(".")
    if not words.strip():
        # The help was all there was to say, and has been printed.
        sys.exit(error.exit_code)
    context = getattr(error, "ctx", None)
    command = context.command_path if context else app.info.name
    _end(f"{words}; see: {command} --help", error.exit_code)


def _end(error: Exception | str, code: int) -> NoReturn:
    for line in str(error).splitlines():
        err.print(f"[bold red]error:[/] {_escaped(line)}", soft_wrap=True)
    sys.exit(code)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
