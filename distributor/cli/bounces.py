"""`bounces`: take in what comes back, and show it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from channels.email.findings import ReportKind
from distributor.bounces.source import NotTaken
from distributor.cli import session
from distributor.cli.output import err, moment, out, plain, print_json
from distributor.ledger.returns import StoredReport
from distributor.operations import bounce_sources
from distributor.operations import bounces as operation
from distributor.operations.bounce_sources import Fetched
from distributor.operations.bounces import Taken
from distributor.operations.errors import OperationError, WrongRequest

_log = logging.getLogger(__name__)

app = typer.Typer(help="Bounces and complaints that come back by email.", no_args_is_help=True)

#: EX_TEMPFAIL of sysexits.h: mail servers keep the message and come again.
_TRY_LATER = 75

_Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.command()
def read(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Messages as files; without one, standard input.")
    ] = None,
    to: Annotated[str, typer.Option(help="Whom it was delivered to, if the server says.")] = "",
    json: _Json = False,
) -> None:
    """Take in messages from files or from standard input, as a mail server's pipe gives them.

    Ends with code 75 when one is to be given again later, as mail servers then do: its delivery is
    still under way, or it could not be taken in.

    Example: distributor bounces read --to "$ORIGINAL_RECIPIENT" < message.eml
    """
    early = failed = 0
    with session.context() as context:
        for name, octets in _messages(files):
            try:
                taken = bounce_sources.take_in(context, octets, to)
            except NotTaken:
                _log.exception("%s could not be taken in", name)
                failed += 1
            else:
                _tell(taken, json)
                early += taken.is_early
    if early:
        err.print("A report came before the delivery's answer was written down: give it again.")
    if failed:
        err.print(f"{_messages_in_words(failed)} could not be taken in; the log above says why.")
    if early or failed:
        raise typer.Exit(_TRY_LATER)


@app.command()
def maildir(
    folder: Annotated[Path, typer.Argument(help="A Maildir, with new and cur in it.")],
    json: _Json = False,
) -> None:
    """Take in what is unread in a Maildir, and mark the reports as read.

    Example: distributor bounces maildir /var/mail/bounces
    """
    with session.context() as context:
        fetched = bounce_sources.fetch_maildir(context, folder, lambda taken: _tell(taken, json))
    _sum_up(fetched, str(folder), json)
    _complain_of(fetched.left)


@app.command()
def fetch(
    account: Annotated[
        str | None, typer.Argument(help="An email account; by default all that have a mailbox.")
    ] = None,
    json: _Json = False,
) -> None:
    """Take in what is unread in the accounts' IMAP or POP mailboxes.

    Example: distributor bounces fetch relay
    """
    with session.context() as context:
        accounts = bounce_sources.email_accounts(context.settings)
        chosen = [
            one for one in accounts if one.name == account or (not account and one.bounce_mailbox)
        ]
        if not chosen:
            wanted = f"is {account!r}" if account else "has a bounce_mailbox"
            raise WrongRequest(f"no email account {wanted}; see config/production.example.toml")
        left = 0
        for one in chosen:
            fetched = bounce_sources.fetch(context, one, lambda taken: _tell(taken, json))
            _sum_up(fetched, one.bounce_mailbox, json)
            left += fetched.left
    _complain_of(left)


@app.command()
def listen(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 chooses a free one.")] = 8024,
    smtp: Annotated[bool, typer.Option("--smtp", help="Speak SMTP instead of LMTP.")] = False,
    json: _Json = False,
) -> None:
    """Take in what a mail server hands over by LMTP or SMTP, until it is told to end.

    It takes mail for the accounts' bounce addresses only.

    Example: distributor bounces listen --port 8024
    """
    protocol = "SMTP" if smtp else "LMTP"

    def say_where(bound: int) -> None:
        if not json:
            out.print(f"Taking in bounces by {protocol} on {host}:{bound}", markup=False)

    with session.context() as context:
        bounce_sources.listen(
            context,
            host,
            port,
            lmtp=not smtp,
            tell=lambda taken: _tell(taken, json),
            started=say_where,
        )


@app.command()
def show(
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 50,
    kind: Annotated[
        ReportKind | None, typer.Option(help="Of one kind only; `other` shows letters in full.")
    ] = None,
    json: _Json = False,
) -> None:
    """Show what was taken in, and what was done about each.

    Example: distributor bounces show --kind other
    """
    with session.context() as context:
        reports = operation.latest(context, limit, kind)
    if json:
        for report in reports:
            print_json(_as_json(report))
    elif not reports:
        what = f"of the kind {kind.value} " if kind else ""
        out.print(f"Nothing {what}has come back. Take it in with: distributor bounces fetch")
    elif kind is ReportKind.OTHER:
        for report in reports:
            _show_letter(report)
    else:
        _show_table(reports)


def _as_json(report: StoredReport) -> dict[str, object]:
    return {
        "at": report.at.isoformat(timespec="milliseconds"),
        "kind": report.kind,
        "code": report.code,
        "address": report.address,
        "delivery": report.delivery_id,
        "matched_by": report.matched_by,
        "words": report.words,
        "effect": report.effect,
        "letter": report.letter,
    }


def _show_letter(report: StoredReport) -> None:
    about = f", about delivery {report.delivery_id}" if report.delivery_id else ""
    out.print(f"Taken in at {moment(report.at)}{about}", style="bold", highlight=False)
    letter = report.letter
    if letter is None:
        letter = "Its text was dropped, as retention.letters_days says."
    out.print(f"{letter}\n", markup=False, highlight=False, soft_wrap=True)


def _show_table(reports: Sequence[StoredReport]) -> None:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("time", "kind", "code", "address"):
        table.add_column(name, no_wrap=True)
    table.add_column("words", overflow="fold", min_width=16)
    table.add_column("effect", overflow="fold", min_width=16)
    for report in reports:
        about = (report.kind, report.code, report.address)
        table.add_row(moment(report.at), *about, report.words, report.effect)
    out.print(plain(table))


def _messages(files: list[Path] | None) -> list[tuple[str, bytes]]:
    if not files:
        return [("the message", sys.stdin.buffer.read())]
    try:
        return [(str(path), path.read_bytes()) for path in files]
    except OSError as error:
        raise OperationError(f"{error.filename} cannot be read: {error.strerror}") from error


def _tell(taken: Taken, json: bool) -> None:
    if json:
        print_json(taken.as_json())
        return
    report, delivery = taken.report, taken.delivery
    words = [report.kind.value, report.status, report.words]
    whom = f"send {delivery.send_id}, {delivery.address}" if delivery else "unknown"
    line = f"{' '.join(word for word in words if word)} ({whom}): {taken.effect}"
    out.print(line, markup=False, highlight=False, soft_wrap=True)


def _sum_up(fetched: Fetched, place: str, json: bool) -> None:
    if not json:
        words = _messages_in_words(fetched.new, "new ")
        out.print(f"{words} in {place}", markup=False, highlight=False, soft_wrap=True)


def _complain_of(left: int) -> None:
    if left:
        raise OperationError(
            f"{_messages_in_words(left)} could not be taken in; the log above says which and why. "
            "All others were. Read what is left by hand and move it away: until then it is tried "
            "again each time"
        )


def _messages_in_words(number: int, kind: str = "") -> str:
    return f"1 {kind}message" if number == 1 else f"{number:,} {kind}messages"
