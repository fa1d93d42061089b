"""`drill`: breaks a service of its own on purpose, and proves that nobody was lost."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from distributor.cli.output import err, out, print_json, print_table
from distributor.drill import FEWEST_RECIPIENTS
from distributor.ledger.states import DeliveryState

if TYPE_CHECKING:
    from distributor.drill.report import Report
    from distributor.drill.watch import Recovery

_SHOWN = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNKNOWN)
_SEEDS = 1_000_000


def register(root: typer.Typer) -> None:
    """Add `drill` to the program's commands."""
    root.command()(drill)


def drill(
    recipients: Annotated[
        int, typer.Option(min=FEWEST_RECIPIENTS, help="How many to send to.")
    ] = 1000,
    kills: Annotated[
        int,
        typer.Option(min=1, help="How many kills, and as many other faults."),
    ] = 10,
    seed: Annotated[
        int | None, typer.Option(help="Repeats the drill of this seed; random by default.")
    ] = None,
    database: Annotated[
        str, typer.Option(help="An empty PostgreSQL database; by default SQLite.")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Break a service on purpose while it sends, then prove that nobody was lost.

    Everything is its own: sandbox, programs, ledger and addresses. Programs are killed with -9,
    Redis is flushed, the database goes away, platforms refuse and hang up. In the end the ledger
    is compared with what the platforms received, recipient by recipient. Exit code 1 when
    anything does not hold.

    Example: distributor drill --recipients 2000 --kills 20
    """
    from distributor.drill import run
    from distributor.drill.report import Challenge

    if seed is None:
        seed = random.randrange(_SEEDS)  # noqa: S311 - to be repeated, not to be secret
    challenge = Challenge(recipients, kills, seed, on_postgresql=bool(database))
    err.print(f"Seed {seed}. To repeat it: {challenge.replay}", markup=False, soft_wrap=True)
    report = run.drill(challenge, database, _tell)
    if json:
        print_json(report.as_json())
    else:
        _print(report)
    if not report.passed:
        raise typer.Exit(1)


def _tell(blow: Recovery) -> None:
    words = f"{blow.at:6.1f} s  {blow.share:4.0%}  {blow.struck.what}"
    err.print(words, markup=False, soft_wrap=True)


def _print(report: Report) -> None:
    out.print()
    print_table(_channels(report))
    out.print()
    out.print(_recovery(report))
    for one in report.ended_by_themselves:
        out.print(f"Ended by itself and started again: {one}", markup=False, soft_wrap=True)
    for finding in report.findings():
        out.print(f"✕ {finding}", style="red", markup=False, soft_wrap=True)
    out.print(_verdict(report), markup=False, soft_wrap=True)


def _channels(report: Report) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("channel")
    numbers = ("intended", *(s.value for s in _SHOWN), "lost", "wrong", "second copies")
    for name in (*numbers, "in doubt", "allowed"):
        table.add_column(name, justify="right")
    for name, one in report.channels.items():
        counts = (one.intended, *(one.states[state] for state in _SHOWN))
        judged = (
            len(one.lost),
            len(one.wrong),
            one.second_copies,
            len(one.unexplained),
            one.in_flight,
        )
        table.add_row(name, *(f"{number:,}" for number in (*counts, *judged)))
    return table


def _recovery(report: Report) -> str:
    seconds = sorted(report.recovery_seconds)
    kills = sum(one.is_kill for one in report.recoveries)
    if not seconds:
        return f"{kills} kills, none of which left anything to recover."
    middle = seconds[len(seconds) // 2]
    return f"{kills} kills; recovered after {middle:.1f} s (median), {seconds[-1]:.1f} s at most."


def _verdict(report: Report) -> str:
    if report.passed:
        return (
            f"Passed: nobody lost, no wrong state, the books balance; "
            f"{report.challenge.recipients:,} recipients in {report.seconds:.0f} s."
        )
    return (
        f"Failed with seed {report.challenge.seed}. Everything is kept in {report.kept}. "
        f"To repeat it: {report.challenge.replay}"
    )
