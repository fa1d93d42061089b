"""`approve`, `pause`, `resume`, `cancel`, `retry`, `resolve`, `amend`: steering a send by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distributor.cli import session
from distributor.cli.arguments import Send
from distributor.cli.output import out, print_json
from distributor.engine.context import Context
from distributor.ledger.decisions import Selection
from distributor.ledger.states import DeliveryState, SendState
from distributor.operations import amending, steering
from distributor.operations.amending import Amended
from distributor.operations.correction import Result
from distributor.operations.lookup import subscriber_query
from distributor.operations.steering import Canceled, Decided, Resolution, Steered
from distributor.operations.times import in_words

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
_Codes = Annotated[
    list[str] | None,
    typer.Option("--code", help="Only those that ended with this code; may be repeated."),
]
_Channels = Annotated[
    list[str] | None, typer.Option("--channel", help="Only this channel; may be repeated.")
]


def register(root: typer.Typer) -> None:
    """Add the commands that steer a send to the program's."""
    for command in (approve, pause, resume, cancel, retry, resolve, amend):
        root.command()(command)


def approve(send: Send, json: _Json = False) -> None:
    """Let a draft go out, at once or at the time it is scheduled for.

    Example: distributor approve 12
    """
    with session.context() as context:
        approved = steering.approve(context, session.hints(context), send)
    words = "is approved" if approved.changed else "needs no approval"
    _say(approved, f"{words}. Follow it with: distributor status {send} --watch", json)


def pause(send: Send, json: _Json = False) -> None:
    """Let no further message of a send leave until it is resumed.

    A message that is leaving at this moment still arrives. The deadline is not extended.

    Example: distributor pause 12
    """
    with session.context() as context:
        paused = steering.pause(context, send)
    already = "" if paused.changed else "already "
    _say(paused, f"is {already}paused. Continue with: distributor resume {send}", json)


def resume(send: Send, json: _Json = False) -> None:
    """Continue a paused send where it stopped.

    Example: distributor resume 12
    """
    with session.context() as context:
        resumed = steering.resume(context, send)
    words = "continues" if resumed.changed else "is already under way"
    if resumed.state is SendState.FINISHED:
        words = "has finished: there was nothing left to send"
    _say(resumed, f"{words}. Follow it with: distributor status {send} --watch", json)


def cancel(send: Send, json: _Json = False) -> None:
    """End a send: what has not left never will.

    A message that is leaving at this moment still arrives. With --json, in_hand is the number of
    deliveries that workers hold: those that have not left are canceled within seconds; waiting is
    the number that never leave and that the workers end within minutes, of a large send. A send of
    which nothing had left does not count as sent: the same edition may go to the same lists again.

    Example: distributor cancel 12
    """
    with session.context() as context:
        canceled = steering.cancel(context, send)
    _say(canceled, _what_was_canceled(canceled), json)


def retry(
    send: Send, codes: _Codes = None, channels: _Channels = None, json: _Json = False
) -> None:
    """Retry the failed deliveries, with a new deadline.

    Parts that were accepted are not sent again; suppressed addresses stay out.

    Example: distributor retry 12 --code smtp-451 --code expired
    """
    who, selection = session.operator(), Selection(tuple(codes or ()), tuple(channels or ()))
    with session.context() as context:
        decided = steering.retry(context, send, selection, operator=who)
        words = _what_was_decided(context, decided, DeliveryState.FAILED)
    _say(decided, words, json)


def resolve(
    send: Send,
    resolution: Annotated[
        Resolution,
        typer.Option("--as", help="sent: they arrived. resend: send them again."),
    ],
    codes: _Codes = None,
    channels: _Channels = None,
    subscriber: Annotated[
        str | None, typer.Option(help="Only this one: an address or a subscriber's id.")
    ] = None,
    json: _Json = False,
) -> None:
    """Decide about deliveries that may or may not have arrived.

    Sent again, a message keeps its identity (its Message-ID), so that mail programs can tell the
    copies. Taken as sent, a delivery with further parts goes on with them.

    Example: distributor resolve 12 --as resend --code worker-lost
    """
    who = session.operator()
    wanted = None if subscriber is None else subscriber_query(subscriber)
    selection = Selection(tuple(codes or ()), tuple(channels or ()), wanted)
    with session.context() as context:
        decided = steering.resolve(context, send, resolution, selection, operator=who)
        words = _what_was_decided(context, decided, DeliveryState.UNKNOWN)
    _say(decided, words, json)


def amend(
    send: Send,
    digest: Annotated[Path, typer.Option(help="The corrected edition.")],
    another_day: Annotated[
        bool, typer.Option("--another-day", help="Even if it is an edition of another day.")
    ] = False,
    json: _Json = False,
) -> None:
    """Correct what was delivered: posts are edited in place, where the platform lets them be.

    Missing messages are added and surplus ones deleted. Run again, it continues where it stopped.
    Emails stay as they were sent.

    Example: distributor amend 12 --digest corrected.md
    """
    from distributor.engine.processes import redis_at_hand

    with session.context() as context, redis_at_hand(context.settings):
        try:
            amended = amending.amend(
                context, send, digest, operator=session.operator(), is_sure=another_day
            )
        finally:
            context.connections.close()
    if json:
        print_json(amended.as_json())
    else:
        words = _what_was_amended(amended)
        out.print(f"Send {send} {words}", markup=False, soft_wrap=True)
    if not amended.is_whole:
        raise typer.Exit(1)


def _what_was_amended(amended: Amended) -> str:
    numbers = [
        f"{amended.messages[result]:,} {result.value}"
        for result in Result
        if amended.messages[result]
    ]
    facts = [f"shows revision {amended.revision[:16]}: messages {', '.join(numbers)}"]
    if not numbers:
        facts = ["has no message that can be changed"]
    facts += [
        f"{number:,} on {channel} stay as they were sent"
        for channel, number in amended.left_as_is.items()
    ]
    words = "; ".join(facts)
    if not amended.is_whole:
        words += f". See why with: distributor log {amended.send_id}"
    return words


def _say(outcome: Steered | Decided, words: str, json: bool) -> None:
    if json:
        print_json(outcome.as_json())
    else:
        out.print(f"Send {outcome.send_id} {words}", markup=False, soft_wrap=True)


def _what_was_canceled(canceled: Canceled) -> str:
    words = "is canceled" if canceled.changed else "was already canceled"
    if canceled.canceled:
        noun = "delivery" if canceled.canceled == 1 else "deliveries"
        words += f", {canceled.canceled:,} {noun} with it"
    if canceled.waiting:
        words += f"; {canceled.waiting:,} more never leave and end within minutes"
    if canceled.in_hand:
        words += (
            f"; up to {canceled.in_hand:,} are in workers' hands: those that have not left are "
            "canceled"
        )
    return f"{words}. See the result with: distributor receipt {canceled.send_id}"


def _what_was_decided(context: Context, decided: Decided, state: DeliveryState) -> str:
    facts = []
    if decided.sent:
        facts.append(f"{decided.sent:,} marked as sent")
    if decided.canceled:
        facts.append(f"{decided.canceled:,} ended with parts unsent")
    if decided.queued:
        until = (
            f" until {in_words(decided.deadline_at.astimezone())}" if decided.deadline_at else ""
        )
        facts.append(f"{decided.queued:,} to be tried{until}")
    if decided.suppressed:
        facts.append(f"{decided.suppressed:,} left out, their addresses are suppressed")
    if not facts:
        facts.append(_nothing_fits(context, decided.send_id, state))
    words = f"is {decided.state.value}: {'; '.join(facts)}"
    if decided.queued and decided.state is SendState.PAUSED:
        words += f". Continue with: distributor resume {decided.send_id}"
    return words


def _nothing_fits(context: Context, send_id: int, state: DeliveryState) -> str:
    if codes := steering.reasons(context, send_id, state):
        return f"no delivery matches. Those that are {state.value} have: {codes}"
    return f"none of its deliveries is {state.value}"
