"""How the command line looks: one console, one way to show states, numbers and times."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from distributor.ledger.books import SendBooks
from distributor.ledger.log import Reason
from distributor.ledger.states import DeliveryState

#: Wide enough that nothing is cut where there is no terminal, as in a pipe or a file.
_PIPE_WIDTH = 160

#: Titles and platforms' replies hold brackets, which are no markup.
out = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
err = Console(stderr=True, highlight=False)

#: A shape and a colour for each state; the word always stands beside them.
_STATES: Mapping[DeliveryState, tuple[str, str]] = {
    DeliveryState.SENT: ("●", "green"),
    DeliveryState.QUEUED: ("○", "blue"),
    DeliveryState.SENDING: ("◐", "blue"),
    DeliveryState.RETRYING: ("↻", "yellow"),
    DeliveryState.FAILED: ("✕", "red"),
    DeliveryState.UNKNOWN: ("?", "magenta"),
    DeliveryState.BOUNCED: ("↩", "red"),
    DeliveryState.COMPLAINED: ("!", "red"),
    DeliveryState.SKIPPED: ("–", "bright_black"),
    DeliveryState.CANCELED: ("–", "bright_black"),
}
#: Shown even when they are zero: what every operator looks for.
_ALWAYS = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNKNOWN)


@contextmanager
def status(words: str) -> Iterator[None]:
    """Say what is going on while the block runs; nothing moves where nobody looks."""
    if err.is_terminal:
        with err.status(words):
            yield
    else:
        err.print(words, markup=False)
        yield


def program() -> str:
    """How a person calls this program from the folder they are in."""
    own, found = Path(sys.executable).with_name("distributor"), shutil.which("distributor")
    if not own.exists() or (found and Path(found).samefile(own)):
        return "distributor"
    here = Path.cwd()
    return str(own.relative_to(here) if own.is_relative_to(here) else own)


def print_json(value: object) -> None:
    """One JSON value on one line, as text in UTF-8."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def state(value: DeliveryState) -> Text:
    """The state's shape and word in its colour."""
    shape, colour = _STATES[value]
    return Text(f"{shape} {value.value}", style=colour)


def books_table(books: SendBooks) -> Table:
    """The books by channel; states that nothing is in are left out."""
    used = [s for s in DeliveryState if s in _ALWAYS or books.total[s]]
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("channel")
    table.add_column("intended", justify="right")
    for one in used:
        table.add_column(state(one), justify="right")
    rows = [*books.channels.items(), ("total", books.total)]
    for name, counted in rows:
        cells = [f"{counted.intended:,}", *(number(counted[one]) for one in used)]
        table.add_row(name, *cells, style="bold" if name == "total" else None)
    return table


def balance(books: SendBooks) -> Text:
    """Whether every intended recipient is in exactly one state."""
    total = books.total
    counted = sum(total.counts.values())
    if total.balanced:
        return Text(f"The books balance: {total.intended:,} intended, {counted:,} accounted for.")
    return Text(
        f"The books do not balance: {total.intended:,} intended, {counted:,} accounted for.",
        style="bold red",
    )


def reasons_table(reasons: tuple[Reason, ...]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for reason in reasons:
        table.add_row(
            state(reason.state), f"{reason.number:,}", reason.channel, reason.code, reason.reply
        )
    return table


def print_table(table: Table) -> None:
    """Print `table` with no blanks at the ends of its lines."""
    for line in out.render_lines(table, pad=False):
        while line and not line[-1].text.strip():
            line.pop()
        if line:
            last = line.pop()
            line.append(Segment(last.text.rstrip(), last.style, last.control))
        out.print(Segments([*line, Segment.line()]), end="")


def plain(table: Table) -> Table:
    """Every long cell folds instead of being cut."""
    for column in table.columns:
        column.overflow = "fold"
    return table


def language() -> str:
    """The language that the terminal is set to, such as `zh_CN.UTF-8`; empty when it says none."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    return next(filter(None, (os.environ.get(name) for name in names)), "")


def moment(value: datetime | None) -> str:
    """A time in this machine's time zone."""
    return value.astimezone().strftime("%Y-%m-%d %H:%M:%S") if value else "–"


def zoned(value: datetime | None) -> str:
    """A time in this machine's time zone, with its offset from UTC."""
    if value is None:
        return "–"
    offset = value.astimezone().isoformat()[-6:]
    return f"{moment(value)} {'UTC' if offset == '+00:00' else offset}"


def clock(value: datetime) -> str:
    """A time of day in this machine's time zone."""
    return value.astimezone().strftime("%H:%M:%S")


def duration(value: timedelta) -> str:
    seconds = round(value.total_seconds())
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s"


def number(value: int) -> str:
    """A dot for nothing, so that what there is stands out."""
    return f"{value:,}" if value else "·"
