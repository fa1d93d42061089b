"""`lists`: named sets of subscribers."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from distributor.audience import lists
from distributor.cli import session
from distributor.cli.commands import Commands
from distributor.cli.output import moment, out, plain, print_json, print_table
from distributor.operations.times import iso

app = Commands(help="Named sets of subscribers.", no_args_is_help=True)


@app.command()
def create(name: Annotated[str, typer.Argument(help="Name of the list.")]) -> None:
    """Make a new, empty list.

    Example: distributor lists create daily
    """
    with session.context() as context, context.ledger.write() as connection:
        made = lists.create(connection, name)
    out.print(f"The list {made.name} is ready.", markup=False)


@app.command("show")
def show_lists(
    name: Annotated[str | None, typer.Argument(help="Only this list.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show all lists, or one, with their numbers of subscribers.

    Example: distributor lists show
    """
    with session.context() as context, context.ledger.read() as connection:
        wanted = lists.get(connection, name).name if name is not None else None
        found = [one for one in lists.overview(connection) if wanted in (None, one.name)]
    if json:
        for one in found:
            print_json(
                {
                    "name": one.name,
                    "members": dict(one.members),
                    "unsubscribed": one.unsubscribed,
                    "created_at": iso(one.created_at),
                    "archived_at": iso(one.archived_at),
                }
            )
        return
    if not found:
        out.print("No lists yet. Make one with: distributor lists create NAME", markup=False)
        return
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("list", "subscribers", "left", "since"):
        table.add_column(heading)
    for one in found:
        members = ", ".join(f"{number:,} {channel}" for channel, number in one.members.items())
        name = f"{one.name} (archived)" if one.archived_at else one.name
        table.add_row(name, members or "none", f"{one.unsubscribed:,}", moment(one.created_at))
    print_table(plain(table))


@app.command()
def archive(name: Annotated[str, typer.Argument(help="Name of the list.")]) -> None:
    """Take a list out of use; its history stays.

    Example: distributor lists archive old-daily
    """
    with session.context() as context, context.ledger.write() as connection:
        archived = lists.archive(connection, name)
    out.print(f"The list {archived.name} is archived.", markup=False)
