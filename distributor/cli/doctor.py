"""`doctor` and `channels test`: is everything set up right, and what to do if not."""

from __future__ import annotations

from typing import Annotated

import typer

from distributor.cli import session
from distributor.cli.commands import Commands
from distributor.cli.output import out, print_json
from distributor.operations import doctor as operation
from distributor.operations.doctor import Finding, Health
from distributor.operations.errors import WrongRequest

channels_app = Commands(help="The accounts behind the channels.", no_args_is_help=True)

_MARKS = {Health.OK: ("●", "green"), Health.WARNING: ("▲", "yellow"), Health.BROKEN: ("✕", "red")}


def register(root: typer.Typer) -> None:
    """Add `doctor` to the program's commands."""
    root.command()(doctor)


def doctor(
    here: Annotated[
        bool,
        typer.Option(
            "--here",
            help="Only check that a worker or the scheduler on this host is alive.",
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Examine the whole installation. Exit code 1 when something is broken.

    Example: distributor doctor
    """
    settings = session.settings()
    broken = False
    for finding in (operation.examine_host if here else operation.examine)(settings):
        broken = broken or finding.health is Health.BROKEN
        print_finding(finding, json)
    if broken:
        raise typer.Exit(1)


@channels_app.command()
def test(
    name: Annotated[str, typer.Argument(help="An account of the configuration, or a channel.")],
) -> None:
    """See whether an account's platform answers; nothing is sent.

    Example: distributor channels test relay
    """
    accounts = session.settings().accounts
    chosen = [one for one in accounts.values() if name in (one.name, one.channel)]
    if not chosen:
        known = ", ".join(accounts) or "none"
        raise WrongRequest(f"there is no account {name!r} in the configuration; there are: {known}")
    findings = [operation.examine_account(account) for account in chosen]
    for finding in findings:
        print_finding(finding, json=False)
    if any(finding.health is Health.BROKEN for finding in findings):
        raise typer.Exit(1)


def print_finding(finding: Finding, json: bool) -> None:
    """A finding as a line for a person, or as a JSON object."""
    if json:
        print_json(
            {
                "subject": finding.subject,
                "health": finding.health.value,
                "message": finding.message,
            }
        )
        return
    mark, colour = _MARKS[finding.health]
    line = f"{mark} {finding.health.value:8} {finding.subject:18} {finding.message}"
    style = colour if finding.health is not Health.OK else None
    out.print(line, style=style, markup=False, soft_wrap=True)
