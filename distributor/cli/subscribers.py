"""`subscribers`: who gets the editions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from distributor.audience import subscribers, transfer
from distributor.audience.files import Format
from distributor.audience.subscribers import SubscriberDetail
from distributor.audience.transfer import Imported
from distributor.cli import session
from distributor.cli.commands import AddressCommand, Commands
from distributor.cli.output import err, moment, out, plain, print_json, print_table, state
from distributor.cli.values import by_name
from distributor.operations.delivery_log import shown_address
from distributor.operations.errors import OperationError, WrongRequest
from distributor.operations.times import iso

app = Commands(help="Who gets the editions.", no_args_is_help=True)

_List = Annotated[list[str], typer.Option("--list", help="A list; may be repeated.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
_Channel = Annotated[str, typer.Option(help="email, telegram, wechat, …")]
_Address = Annotated[str, typer.Argument(help="Their address on the channel.")]
_SHOWN_REJECTIONS = 20


@app.command(cls=AddressCommand)
def add(
    address: _Address,
    channel: _Channel,
    list_names: _List,
    name: Annotated[str, typer.Option(help="What to call them.")] = "",
    language: Annotated[str, typer.Option(help="Such as zh-CN or en.")] = "",
    account: Annotated[
        str, typer.Option(help="The configured account that serves them; empty: the channel's.")
    ] = "",
    variant: Annotated[
        str, typer.Option(help="The form they get, where the channel has several.")
    ] = "",
    attributes: Annotated[
        list[str] | None,
        typer.Option("--set", help="An attribute as NAME=VALUE, such as thread=42; repeatable."),
    ] = None,
    resubscribe: Annotated[
        bool,
        typer.Option("--resubscribe", help="Re-add someone who unsubscribed and asked to return."),
    ] = False,
) -> None:
    """Add an address to one or more lists.

    Example: distributor subscribers add reader@example.org --channel email --list daily
    """
    given = by_name("--set", attributes or ())
    with session.context() as context, context.ledger.write() as connection:
        if account:
            context.settings.account_named(account, channel)
        added = subscribers.add(
            connection,
            channel=channel,
            address=address,
            list_names=list_names,
            name=name,
            language=language,
            account=account,
            variant=variant,
            attributes=given,
            resubscribe=resubscribe,
        )
    shown = shown_address(channel, added.address)
    if added.joined:
        out.print(f"{shown} is on {', '.join(added.joined)}.", markup=False)
    if added.already:
        out.print(f"{shown} was already on {', '.join(added.already)}.", markup=False)
    if added.left_before:
        err.print(
            f"{shown} had unsubscribed from {', '.join(added.left_before)} and was not added "
            "again; if they asked to return: --resubscribe",
            style="yellow",
            markup=False,
        )
    if added.suppression:
        reason = added.suppression.reason
        line = f"{shown} is suppressed ({reason}): nothing will be sent to it."
        err.print(line, style="yellow", markup=False)


@app.command(cls=AddressCommand)
def remove(
    address: _Address,
    channel: _Channel,
    list_names: Annotated[
        list[str] | None, typer.Option("--list", help="Only from this list; may be repeated.")
    ] = None,
) -> None:
    """Remove an address from lists, or from all of them. Its history stays.

    Example: distributor subscribers remove reader@example.org --channel email --list daily
    """
    with session.context() as context, context.ledger.write() as connection:
        left = subscribers.remove(connection, channel, address, list_names)
    shown = shown_address(channel, address)
    out.print(f"{shown} left {', '.join(left) or 'nothing: it was on no list'}.", markup=False)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with a header line, or JSON Lines.")],
    list_names: _List,
    channel: Annotated[str, typer.Option(help="For rows that name no channel.")] = "",
    resubscribe: Annotated[
        bool,
        typer.Option("--resubscribe", help="Re-add those who unsubscribed and asked to return."),
    ] = False,
    json: _Json = False,
) -> None:
    """Add subscribers from a file.

    Its columns are channel, address, name, language, account and variant; only address is
    required. Other columns become attributes. Rows that cannot be used are reported and skipped.

    Example: distributor subscribers import readers.csv --channel email --list daily
    """
    with session.context() as context:
        try:
            stream = file.open("rb")
        except OSError as error:
            raise OperationError(f"{file} cannot be read: {error.strerror}") from error
        with stream:
            imported = transfer.import_file(
                context.ledger,
                stream,
                _format(file),
                list_names=list_names,
                default_channel=channel,
                resubscribe=resubscribe,
            )
    if json:
        print_json(_imported_json(imported))
    else:
        _print_imported(imported)
    if imported.rejected:
        raise typer.Exit(1)


@app.command()
def export(
    list_name: Annotated[str | None, typer.Option("--list", help="Only this list.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="csv or jsonl.")] = Format.CSV,
) -> None:
    """Write subscribers, addresses in full, to standard output.

    Example: distributor subscribers export --list daily > readers.csv
    """
    with session.context() as context, context.ledger.read() as connection:
        for line in transfer.export(connection, format_, list_name):
            sys.stdout.write(line)


@app.command(cls=AddressCommand)
def show(
    address: Annotated[str, typer.Argument(help="An address, or CHANNEL:ADDRESS.")],
    json: _Json = False,
) -> None:
    """Show one subscriber: their lists, whether they are suppressed, what they got.

    Example: distributor subscribers show reader@example.org
    """
    with session.context() as context, context.ledger.read() as connection:
        detail = subscribers.show(connection, address)
    if json:
        print_json(_detail_json(detail))
    else:
        _print_detail(detail)


def _format(file: Path) -> Format:
    formats = {".csv": Format.CSV, ".jsonl": Format.JSONL, ".ndjson": Format.JSONL}
    if file.suffix.lower() not in formats:
        raise WrongRequest(f"{file}: wants a file that ends in .csv or .jsonl")
    return formats[file.suffix.lower()]


def _print_imported(imported: Imported) -> None:
    out.print(
        f"{imported.added:,} new, {imported.existing:,} already known, "
        f"{imported.joined:,} joined, {len(imported.rejected):,} rejected."
    )
    if imported.repeated:
        out.print(f"{imported.repeated:,} repeated an earlier row of the file.")
    if imported.left_before:
        out.print(f"{imported.left_before:,} had unsubscribed and were not added again.")
    for rejected in imported.rejected[:_SHOWN_REJECTIONS]:
        err.print(f"line {rejected.line}: {rejected.reason}", style="red", markup=False)
    if len(imported.rejected) > _SHOWN_REJECTIONS:
        rest = len(imported.rejected) - _SHOWN_REJECTIONS
        err.print(f"and {rest:,} more; all of them with --json", style="red")


def _imported_json(imported: Imported) -> dict[str, object]:
    return {
        "added": imported.added,
        "existing": imported.existing,
        "repeated": imported.repeated,
        "joined": imported.joined,
        "left_before": imported.left_before,
        "rejected": [{"line": one.line, "reason": one.reason} for one in imported.rejected],
    }


def _print_detail(detail: SubscriberDetail) -> None:
    shown = shown_address(detail.channel, detail.address)
    out.print(f"{shown}  {detail.name}".strip(), style="bold", markup=False)
    out.print(f"{detail.channel} · subscriber {detail.id} · since {moment(detail.created_at)}")
    if detail.suppression:
        one = detail.suppression
        line = f"suppressed: {one.reason} ({one.source}, {moment(one.created_at)}) {one.detail}"
        out.print(line, style="red", markup=False)
    for one_list in detail.memberships:
        left = one_list.unsubscribed_at
        until = f", left {moment(left)} ({one_list.unsubscribed_by})" if left else ""
        out.print(f"on {one_list.list_name} since {moment(one_list.subscribed_at)}{until}")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for delivery in detail.deliveries:
        table.add_row(
            moment(delivery.updated_at),
            f"send {delivery.send_id}",
            state(delivery.state),
            delivery.code or "",
            delivery.reply or "",
            delivery.digest_title,
        )
    print_table(plain(table))


def _detail_json(detail: SubscriberDetail) -> dict[str, object]:
    suppression = detail.suppression
    return {
        "subscriber": detail.id,
        "channel": detail.channel,
        "address": shown_address(detail.channel, detail.address),
        "name": detail.name,
        "language": detail.language,
        "attributes": dict(detail.attributes),
        "account": detail.account,
        "variant": detail.variant,
        "lists": [
            {
                "name": one.list_name,
                "subscribed_at": iso(one.subscribed_at),
                "unsubscribed_at": iso(one.unsubscribed_at),
                "unsubscribed_by": one.unsubscribed_by,
            }
            for one in detail.memberships
        ],
        "suppression": {"reason": suppression.reason, "source": suppression.source}
        if suppression
        else None,
        "deliveries": [
            {
                "send": one.send_id,
                "state": one.state.value,
                "code": one.code,
                "reply": one.reply,
                "at": iso(one.updated_at),
            }
            for one in detail.deliveries
        ],
    }
