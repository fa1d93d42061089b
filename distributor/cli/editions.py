"""`watch`, `digest list` and `digest source`: editions that come by themselves."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from distributor.cli import session
from distributor.cli.output import moment, out, plain, print_json, print_table
from distributor.operations import catalogue
from distributor.operations.catalogue import EditionState, Listed
from distributor.operations.errors import WrongRequest

if TYPE_CHECKING:
    from distributor.operations.importing import Imported

_STATES = {
    EditionState.READY: ("○", "blue"),
    EditionState.HELD: ("✕", "red"),
    EditionState.SENT: ("●", "green"),
    EditionState.CHANGED: ("↻", "yellow"),
}
#: Enough of a revision to tell it from all others.
_SHORT = 8
#: On a terminal of fewer columns, times go onto a second line to leave room for the title.
_WIDE, _NARROW_COLUMN = 120, 12


def register(root: typer.Typer, digest: typer.Typer) -> None:
    """Add `watch` to the program's commands, and what lists editions to those of `digest`."""
    root.command()(watch)
    digest.command(name="list")(show_list)
    digest.command(name="source")(show_source)


def watch(
    once: Annotated[
        bool, typer.Option("--once", help="Look at every source once, say what is new, and end.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="With --once: one JSON object a line.")
    ] = False,
) -> None:
    """Import every new edition of the configured sources, until Ctrl-C.

    Nothing is sent. Several may run at the same time: each edition is imported once. Exit code 1
    when --once could not read something.

    Example: distributor watch --once
    """
    if json and not once:
        raise WrongRequest("--json goes with --once; without it, see [log] in the configuration")
    settings = session.settings()
    if not settings.sources:
        raise WrongRequest(
            "no source is configured; add a [[sources]] table to the configuration, "
            "as in config/production.example.toml"
        )
    if once:
        _look_once(json)
    else:
        _keep_watching()


def show_list(
    source: Annotated[str | None, typer.Option(help="Only editions of this source.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the editions that are known, with their state and their last send.

    Example: distributor digest list --source blog
    """
    with session.context() as context:
        found = catalogue.newest(context, source=source, limit=limit)
    if json:
        for one in found:
            print_json(one.as_json())
        return
    if not found:
        out.print("No editions yet. Import those of the sources with: distributor watch --once")
        return
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("revision", no_wrap=True)
    for name in ("date", "source", "state", "last send"):
        table.add_column(name, max_width=_NARROW_COLUMN if out.width < _WIDE else None)
    table.add_column("edition")
    for one in found:
        table.add_row(*_cells(one))
    print_table(plain(table))


def show_source(
    revision: Annotated[str, typer.Argument(help="A revision of `digest list`, or its beginning.")],
) -> None:
    """Print an edition's Markdown as it came, for a file that other commands take.

    Example: distributor digest source 3f2a91bc > edition.md
    """
    with session.context() as context:
        content = catalogue.source_of(context, revision)
    sys.stdout.flush()
    sys.stdout.buffer.write(content)


def _cells(one: Listed) -> tuple[str | Text, ...]:
    digest, send = one.edition.digest, one.last_send
    shape, colour = _STATES[one.state]
    words = f"{shape} {one.state.value}"
    if one.state is EditionState.HELD:
        words += f": {', '.join(dict.fromkeys(reason.code for reason in one.edition.reasons))}"
    last = f"{send.id} {send.state.value} {moment(send.started_at)}" if send else "–"
    return (
        digest.revision[:_SHORT],
        digest.date.strftime("%Y-%m-%d %H:%M") if digest.date else "–",
        one.entry.source or "–",
        Text(words, style=colour),
        last,
        Text(digest.title or one.edition.name),
    )


def _look_once(json: bool) -> None:
    from distributor.digest.sources.model import SourceUnreachable, Unread
    from distributor.operations import importing

    problems = 0
    with session.context() as context:
        for source in importing.sources_of(context.settings):
            imported = 0
            try:
                for one in importing.look(context, source):
                    if isinstance(one, Unread):
                        problems += 1
                        _print_problem(source.name, one.message, json)
                    else:
                        imported += 1
                        _print_imported(one, json)
            except SourceUnreachable as error:
                problems += 1
                _print_problem(source.name, str(error), json)
            else:
                if not imported and not json:
                    out.print(f"– {source.name}: nothing new", markup=False)
    if problems:
        raise typer.Exit(1)


def _print_imported(one: Imported, json: bool) -> None:
    digest = one.edition.digest
    if json:
        print_json(
            {
                "source": one.source,
                "identity": one.identity,
                "outcome": one.taken.value,
                "revision": digest.revision,
                "title": digest.title,
                "publishable": one.edition.publishable,
                "reasons": [{"code": r.code, "message": r.message} for r in one.edition.reasons],
            }
        )
        return
    title = digest.title or "(no title)"
    line = f"● {one.source}: {one.taken.value} {digest.revision[:_SHORT]} {one.identity}  {title}"
    out.print(line, markup=False, soft_wrap=True)
    for reason in one.edition.reasons:
        line = f"  would be held, {reason.code}: {reason.message}"
        out.print(line, style="yellow", markup=False, soft_wrap=True)


def _print_problem(source: str, message: str, json: bool) -> None:
    if json:
        print_json({"source": source, "error": message})
    else:
        out.print(f"✕ {source}: {message}", style="red", markup=False, soft_wrap=True)


def _keep_watching() -> None:
    from distributor import logs
    from distributor.engine import heartbeat, processes
    from distributor.operations import importing, watching

    with session.context() as context:
        settings = context.settings
        logs.configure(settings)
        stopping = session.stop_signal()
        with processes.redis_at_hand(settings), processes.beating(settings, [heartbeat.WATCHER]):
            watching.watch(context, importing.sources_of(settings), stopping)
