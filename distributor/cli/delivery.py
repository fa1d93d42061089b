"""`status` and `log`: how a send stands, and what happened to every recipient."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from distributor.cli import arguments, progress, session
from distributor.cli.output import (
    balance,
    books_table,
    clock,
    duration,
    language,
    moment,
    number,
    out,
    plain,
    print_json,
    print_table,
    program,
    reasons_table,
    state,
    zoned,
)
from distributor.ledger.books import Books, SendBooks
from distributor.ledger.sends import Send
from distributor.ledger.states import DeliveryState, SendState
from distributor.operations import delivery_log, remarks, status
from distributor.operations.status import SendStatus
from distributor.operations.times import in_words, iso

_RECENT = 20
#: On a terminal of fewer columns, state and time go below the edition's title.
_WIDE = 110
#: States with a column of their own in the list of sends, and those that share one.
_NAMED = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNKNOWN)
_OTHER = (
    DeliveryState.SKIPPED,
    DeliveryState.CANCELED,
    DeliveryState.BOUNCED,
    DeliveryState.COMPLAINED,
)


def register(root: typer.Typer) -> None:
    """Add `status` and `log` to the program's commands."""
    root.command(name="status")(show_status)
    root.command(name="log")(show_log)


def show_status(
    send: arguments.SendOrAll = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it until it is over.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show the books of a send, by channel, with what went wrong.

    Without SEND, a line for each of the newest ones: what was skipped, canceled, bounced or
    complained about is counted as other.

    Example: distributor status 12 --watch
    """
    with session.context() as context:
        if send is None:
            _list(status.recent(context, _RECENT), json)
            return
        if watch:
            progress.follow(context, send, quiet=json, why_idle=partial(status.why_idle, context))
        now = status.of_send(context, send)
        idle, waiting = status.why_idle(context, now), status.who_waits(context, now)
        found = remarks.of_send(context.ledger, context.settings, now.send)
    if json:
        more = {
            "idle": list(idle),
            "waiting": list(waiting),
            "warnings": [remark.as_json() for remark in found],
        }
        print_json({**now.as_json(), **more})
        return
    print_outcome(now)
    for remark in found:
        line = f"{remark.about}: {remark.text}"
        out.print(line, style="yellow", markup=False, soft_wrap=True)
    for sentence in (*idle, *waiting):
        out.print(sentence, style="yellow", markup=False, soft_wrap=True)


def show_log(
    send: arguments.Send,
    only: Annotated[
        DeliveryState | None, typer.Option("--state", help="Only deliveries in this state.")
    ] = None,
    subscriber: Annotated[
        str | None, typer.Option(help="Only this one: an address or a subscriber's id.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show every attempt to reach every recipient of a send.

    Example: distributor log 12 --state failed
    """
    with session.context() as context:
        found = delivery_log.entries(context, send, state=only, subscriber=subscriber)
        if json:
            for entry in found:
                print_json(delivery_log.as_json(entry))
            return
        table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
        for name in ("time", "channel", "address", "part", "try", "outcome", "code"):
            table.add_column(name, no_wrap=True)
        table.add_column("reply", overflow="fold", min_width=16)
        codes: dict[tuple[str, str], None] = {}
        for entry in found:
            codes.setdefault((entry.channel, entry.code or ""))
            table.add_row(
                clock(entry.at),
                entry.channel,
                delivery_log.shown_address(entry.channel, entry.address),
                str(entry.part or "–"),
                str(entry.attempt or "–"),
                state(entry.outcome),
                entry.code or "",
                entry.reply or "",
            )
    if table.row_count:
        print_table(table)
    else:
        out.print("No deliveries match.")
    _print_explanations(codes)


def _print_explanations(codes: Iterable[tuple[str, str]]) -> None:
    """Below what platforms said, what it means, in the language of this terminal."""
    for code, text in delivery_log.explanations(codes, language()):
        out.print(f"\n{code}: {text}", markup=False, soft_wrap=True, highlight=False)


def print_outcome(now: SendStatus) -> None:
    """A send's title, books and reasons, as a person reads them."""
    send = now.send
    out.print(f"Send {send.id}: {send.title}", style="bold", markup=False)
    out.print(_where_it_stands(now), markup=False)
    if send.forced:
        line = f"forced by {send.forced_by}: {send.forced}"
        out.print(line, style="yellow", markup=False, soft_wrap=True)
    if send.held_reason:
        out.print(send.held_reason, style="red", markup=False)
        return
    if send.intended is None:
        return
    out.print()
    print_table(books_table(now.books))
    out.print(balance(now.books))
    if now.reasons:
        out.print()
        print_table(plain(reasons_table(now.reasons)))
        _print_explanations((reason.channel, reason.code) for reason in now.reasons)
    if onward := _how_it_goes_on(now):
        out.print()
        out.print(onward, markup=False, soft_wrap=True)


def _how_it_goes_on(now: SendStatus) -> str | None:
    """The command that a person may want next, if there is one."""
    send, total = now.send, now.books.total
    if send.state is SendState.PAUSED:
        return f"Paused. Continue with: {program()} resume {send.id}"
    if unknown := total[DeliveryState.UNKNOWN]:
        # What a canceled send did not bring is not sent again.
        choice = "sent" if send.state is SendState.CANCELED else "sent|resend"
        return f"{unknown:,} unknown. Decide with: {program()} resolve {send.id} --as {choice}"
    if now.retriable:
        return (
            f"To retry the failed deliveries (dead addresses stay out): {program()} retry {send.id}"
        )
    return None


def _where_it_stands(now: SendStatus) -> str:
    send = now.send
    words = [send.state.value, f"lists: {', '.join(now.lists)}" if now.lists else "a test"]
    if send.scheduled_for and send.state in (SendState.SCHEDULED, SendState.DRAFT):
        words.append(f"for {in_words(send.scheduled_for.astimezone())}")
    if send.started_at:
        words.append(f"started {zoned(send.started_at)}")
    if send.finished_at and send.started_at:
        words.append(f"took {duration(send.finished_at - send.started_at)}")
    if now.time_left:
        words.append(f"about {duration(now.time_left)} left")
    return " · ".join(words)


def _list(found: tuple[tuple[Send, SendBooks], ...], json: bool) -> None:
    if json:
        for send, books in found:
            print_json(
                {
                    "send": send.id,
                    "digest": send.revision,
                    "title": send.title,
                    "state": send.state.value,
                    "books": books.total.as_json(),
                    "scheduled_for": iso(send.scheduled_for),
                    "deadline_at": iso(send.deadline_at),
                    "started_at": iso(send.started_at),
                    "finished_at": iso(send.finished_at),
                }
            )
        return
    if not found:
        out.print("No sends yet. Start one with: distributor send FILE --list NAME", markup=False)
        return
    print_table(_overview_in_two_lines(found) if out.width < _WIDE else _overview(found))


def _overview(found: Sequence[tuple[Send, SendBooks]]) -> Table:
    """A row for each send, whose numbers add up to what was intended."""
    table = _table_of_sends("state", "edition", "started")
    for send, books in found:
        started = _to_the_minute(send.started_at) if send.started_at else "–"
        about = (str(send.id), send.state.value, send.title, started)
        table.add_row(*about, *map(number, _summed(books.total)))
    return plain(table)


def _overview_in_two_lines(found: Sequence[tuple[Send, SendBooks]]) -> Table:
    """The same with state and time below the title, which is cut where it has no room."""
    table = _table_of_sends("edition")
    for send, books in found:
        # Without the year, which those who look at the newest sends know.
        started = _to_the_minute(send.started_at)[5:] if send.started_at else ""
        lines = f"{send.title}\n{send.state.value} {started}".rstrip()
        about = Text(lines, no_wrap=True, overflow="ellipsis")
        table.add_row(str(send.id), about, *map(number, _summed(books.total)))
    return table


def _table_of_sends(*about: str) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("send", justify="right")
    for name in about:
        table.add_column(name)
    for name in ("intended", *(one.value for one in _NAMED), "other", "open"):
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _to_the_minute(moment_: datetime) -> str:
    return moment(moment_)[:-3]


def _summed(total: Books) -> tuple[int, ...]:
    """What was intended, and every delivery in one of the columns after it."""
    named = (total[one] for one in _NAMED)
    return (total.intended, *named, sum(total[one] for one in _OTHER), total.open)
