"""`receipt`: what became of everyone a send was meant for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distributor.cli import session
from distributor.cli.arguments import Send
from distributor.cli.output import (
    balance,
    books_table,
    err,
    moment,
    out,
    plain,
    print_json,
    print_table,
    reasons_table,
    zoned,
)
from distributor.operations import receipt as operation
from distributor.operations import receipt_page
from distributor.operations.errors import OperationError
from distributor.operations.receipt import Receipt


def register(root: typer.Typer) -> None:
    """Add `receipt` to the program's commands."""
    root.command()(receipt)


def receipt(
    send: Send,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write it as a page that can be printed.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """State what became of everyone a send was meant for, checked against the delivery log.

    Exit code 1 when the books do not add up or the log says something else.

    Example: distributor receipt 12 --html receipt.html
    """
    with session.context() as context:
        drawn = operation.draw_up(context, send)
        if html is not None:
            publisher = context.settings.publisher_card()
            _write(html, receipt_page.render(drawn, context.templates, publisher))
    if json:
        print_json(drawn.as_json())
    else:
        _print(drawn)
        if html is not None:
            out.print(f"Written to {html}", markup=False, soft_wrap=True)
    if not drawn.holds:
        raise typer.Exit(1)


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise OperationError(f"{path} cannot be written: {error.strerror}") from error


def _print(drawn: Receipt) -> None:
    send, kind = drawn.send, "Provisional receipt" if drawn.is_provisional else "Receipt"
    out.print(f"{kind} of send {send.id}: {send.title}", style="bold", markup=False)
    lists = f"to {', '.join(drawn.lists)}" if drawn.lists else "a test"
    out.print(f"{send.state.value}, {lists}; SHA-256 {send.revision}", markup=False, soft_wrap=True)
    times = [f"created {zoned(send.created_at)}", f"started {zoned(send.started_at)}"]
    times += [f"ended {zoned(send.finished_at)}", f"deadline {zoned(send.deadline_at)}"]
    out.print(" · ".join(times), markup=False, soft_wrap=True)
    if send.held_reason:
        out.print(send.held_reason, style="red", markup=False)
    total = drawn.books.total
    sum_ = " + ".join(f"{number:,} {state.value}" for state, number in drawn.terms)
    out.print(f"\n{total.intended:,} intended = {sum_}", style="bold", markup=False, soft_wrap=True)
    if drawn.books.channels:
        out.print()
        print_table(books_table(drawn.books))
    if drawn.reasons:
        out.print()
        print_table(plain(reasons_table(drawn.reasons)))
    out.print()
    _print_check(drawn)


def _print_check(drawn: Receipt) -> None:
    out.print(balance(drawn.books))
    tries = drawn.all_tries
    if dropped_at := drawn.send.attempts_dropped_at:
        out.print(
            f"Its attempts were dropped on {moment(dropped_at)}, as retention.attempts_days says: "
            "these books rest on the last answer for each delivery.",
            markup=False,
            soft_wrap=True,
        )
    elif not drawn.differences:
        number = tries.number if tries else 0
        noun = "attempt" if number == 1 else "attempts"
        out.print(f"The delivery log agrees, with {number:,} {noun}.")
    for one in drawn.differences:
        err.print(
            f"{one.channel}: {one.in_books:,} {one.state.value} in the books, "
            f"{one.in_log:,} in the log",
            style="bold red",
            markup=False,
        )
