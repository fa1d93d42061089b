"""A bar that follows a send until nothing more happens to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from distributor.cli.output import books_table, duration, err, plain, reasons_table
from distributor.engine.context import Context
from distributor.ledger.states import DeliveryState, SendState
from distributor.operations import status
from distributor.operations.status import SendStatus

_LOOK_SECONDS = 0.2
_WAITING = (DeliveryState.RETRYING, DeliveryState.UNKNOWN)


def follow(
    context: Context,
    send_id: int,
    *,
    quiet: bool = False,
    tend: Callable[[], object] = lambda: None,
    why_idle: Callable[[SendStatus], Sequence[str]] = lambda _status: (),
) -> SendStatus:
    """Show the send's progress until it is over, and return its last status.

    `tend` is called about every second, to keep alive what works on the send; `why_idle` as
    often, to tell what nobody does for it. Shown on standard error: as a bar on a terminal, else
    as a line whenever something changed; not when `quiet`.
    """
    if quiet:
        return _wait(context, send_id, tend, lambda _status: None)
    idle = _Remembered(why_idle)
    if not err.is_terminal:
        return _wait(context, send_id, tend, _Lines(idle))
    with Live(console=err, transient=True, auto_refresh=False) as live:

        def draw(now: SendStatus) -> None:
            live.update(_picture(now, idle(now)), refresh=True)

        return _wait(context, send_id, tend, draw)


def _wait(
    context: Context,
    send_id: int,
    tend: Callable[[], object],
    show: Callable[[SendStatus], None],
) -> SendStatus:
    tended = time.monotonic()
    while True:
        now = status.of_send(context, send_id)
        show(now)
        if now.over:
            return now
        time.sleep(_LOOK_SECONDS)
        if time.monotonic() - tended > 1:
            tend()
            tended = time.monotonic()


class _Remembered:
    """Asks why a send is idle once a second, however often it is asked."""

    def __init__(self, why_idle: Callable[[SendStatus], Sequence[str]]) -> None:
        self._ask = why_idle
        self._asked_at = float("-inf")
        self._answer: Sequence[str] = ()

    def __call__(self, now: SendStatus) -> Sequence[str]:
        if time.monotonic() - self._asked_at >= 1:
            self._answer = self._ask(now)
            self._asked_at = time.monotonic()
        return self._answer


class _Lines:
    """Progress for a log file: one line a second at most, and none when nothing moved."""

    def __init__(self, why_idle: Callable[[SendStatus], Sequence[str]]) -> None:
        self._why_idle = why_idle
        self._idle: Sequence[str] = ()
        self._last = ""
        self._at = 0.0

    def __call__(self, now: SendStatus) -> None:
        self._tell_idle(self._why_idle(now))
        total = now.books.total
        line = f"  {total.ended:,} of {total.intended:,}"
        waiting = total[DeliveryState.RETRYING]
        line += f", {waiting:,} to be retried" if waiting else ""
        line += f", {_paused(now)}" if now.send.state is SendState.PAUSED else ""
        if total.intended and line != self._last and time.monotonic() - self._at >= 1:
            err.print(line, markup=False)
            self._last, self._at = line, time.monotonic()

    def _tell_idle(self, idle: Sequence[str]) -> None:
        if idle != self._idle:
            for sentence in idle:
                err.print(f"  {sentence}", markup=False, soft_wrap=True)
            self._idle = idle


def _picture(now: SendStatus, idle: Sequence[str]) -> RenderableType:
    total = now.books.total
    warnings = [Text(sentence, style="yellow") for sentence in idle]
    if now.send.state in (SendState.PREPARING, SendState.SCHEDULED):
        return Group(f"send {now.send.id} is {now.send.state.value} …", *warnings)
    line = Table.grid(padding=(0, 2))
    line.add_row(
        f"send {now.send.id}",
        ProgressBar(total=max(1, total.intended), completed=total.ended, width=32),
        f"{total.ended:,} of {total.intended:,}",
        f"{now.rate:,.0f}/s" if now.rate else "",
        _paused(now) if now.send.state is SendState.PAUSED else _left(now),
    )
    waiting = tuple(reason for reason in now.reasons if reason.state in _WAITING)
    return Group(line, books_table(now.books), plain(reasons_table(waiting)), *warnings)


def _left(now: SendStatus) -> str:
    return f"{duration(now.time_left)} left" if now.time_left else ""


def _paused(now: SendStatus) -> str:
    return f"paused; continue with: distributor resume {now.send.id}"
