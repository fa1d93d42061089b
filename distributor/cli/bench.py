"""`bench`: measure the real path on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from distributor.cli.commands import Commands
from distributor.cli.output import out, print_json

app = Commands(help="Measure how fast it is on this machine.", no_args_is_help=True)


@app.command()
def engine(
    recipients: Annotated[int, typer.Option(min=1, help="How many deliveries to make.")] = 50_000,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 2,
    database: Annotated[
        str | None, typer.Option(help="URL of an empty PostgreSQL database; else SQLite.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure planning, claiming and recording, with a channel that accepts at once.

    Example: distributor bench engine --recipients 100000 --json
    """
    from distributor.bench import engine as bench

    figures = bench.run(recipients, workers=workers, database=database)
    if json:
        print_json(figures.as_json())
        return
    per_second = figures.recipients / figures.seconds
    out.print(f"{figures.recipients:,} deliveries in {figures.seconds:.1f} s: {per_second:,.0f}/s")
    out.print(f"planned in {figures.plan_seconds:.1f} s")
    out.print(f"{figures.cpu_ms_per_recipient:.3f} ms of CPU a delivery, in all workers")
    out.print(f"{figures.peak_rss_mb:.0f} MB in the largest process")
    balance = "balance" if figures.books.balanced else "do not balance"
    out.print(f"the books {balance}")


@app.command()
def durability(
    messages: Annotated[int, typer.Option(min=1, help="How many messages to write down.")] = 2_000,
    database: Annotated[
        str | None, typer.Option(help="URL of an empty PostgreSQL database; else SQLite.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Measure the cost of recording, for each message, that it may have left.

    Example: distributor bench durability --messages 5000
    """
    from distributor.bench import durability as bench

    for cost in bench.run(messages, database):
        if json:
            print_json(cost.as_json())
        else:
            out.print(f"{cost.microseconds:8,.1f} µs a message  {cost.place}", highlight=False)


@app.command()
def telegram(
    recipients: Annotated[int, typer.Option(min=2, help="How many chats to post to.")] = 2_000,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 1,
    lanes: Annotated[int, typer.Option(min=1, max=64, help="Threads of each worker.")] = 4,
    limits: Annotated[
        bool, typer.Option("--limits", help="Keep Telegram's limits, which the sandbox checks.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure posting to the sandbox's Bot API, as fast as it goes or within the limits.

    Example: distributor bench telegram --recipients 900 --workers 2 --limits --json
    """
    from distributor.bench import telegram as bench

    figures = bench.run(recipients, workers=workers, lanes=lanes, has_limits=limits)
    if json:
        print_json(figures.as_json())
        return
    per_second = figures.messages_per_second
    out.print(f"{figures.recipients:,} posts in {figures.seconds:.1f} s: {per_second:,.1f}/s")
    out.print(f"at most {figures.busiest_second:,} within a second")
    out.print(f"{figures.refused_as_too_many:,} refused as too many")
    out.print(f"{figures.cpu_ms_per_message:.2f} ms of CPU a post, in all programs")
    balance = "balance" if figures.books.balanced else "do not balance"
    out.print(f"the books {balance}")


@app.command()
def email(
    recipients: Annotated[int, typer.Option(min=1, help="How many messages to send.")] = 10_000,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 2,
    lanes: Annotated[int, typer.Option(min=1, max=64, help="Connections of each.")] = 4,
    sign: Annotated[str, typer.Option(help="none, rsa, ed25519 or both.")] = "rsa",
    naive: Annotated[
        int, typer.Option(min=0, help="Messages of the naive pipeline, for comparison.")
    ] = 0,
    database: Annotated[
        str | None, typer.Option(help="URL of an empty PostgreSQL database; else SQLite.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure email delivery end to end, to a server on this machine that accepts everything.

    That is Postfix's smtp-sink where it is installed; smtp-source then measures its limit.

    Example: distributor bench email --recipients 10000 --sign both --naive 40
    """
    from distributor.bench import email as bench
    from distributor.operations.errors import WrongRequest

    try:
        signing = bench.Signing(sign)
    except ValueError:
        raise WrongRequest(f"--sign wants none, rsa, ed25519 or both, not {sign!r}") from None
    figures = bench.run(
        recipients, workers=workers, lanes=lanes, signing=signing, database=database, naive=naive
    )
    if json:
        print_json(figures.as_json())
        return
    size = figures.message_bytes / 1000
    out.print(
        f"{figures.recipients:,} messages of {size:.0f} KB, signed with {signing.value}, "
        f"in {figures.seconds:.1f} s: {figures.per_second:,.0f}/s"
    )
    out.print(f"{figures.cpu_ms_per_message:.2f} ms of CPU a message, in all our programs")
    out.print(f"{figures.sink_cpu_ms_per_message:.2f} ms more in the sink ({figures.sink})")
    out.print(f"{figures.peak_rss_mb:.0f} MB in the largest process")
    if figures.sink_per_second is not None:
        out.print(f"smtp-source at the same sink: {figures.sink_per_second:,.0f}/s")
    if figures.naive_per_second is not None:
        out.print(
            f"the naive pipeline: {figures.naive_per_second:,.0f}/s; "
            f"this one is {figures.per_second / figures.naive_per_second:,.0f} times as fast"
        )
    balance = "balance" if figures.books.balanced else "do not balance"
    out.print(f"the books {balance}")
