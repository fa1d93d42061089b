"""What a request to send came to, as a person reads it and as a script does."""

from __future__ import annotations

from pathlib import Path

from distributor.cli.output import err, out, print_json
from distributor.digest.model import ReaderWarning
from distributor.digest.publishable import HoldReason
from distributor.ledger.states import SendState
from distributor.operations.send_request import (
    Already,
    AlreadySent,
    Held,
    Rehearsed,
    Repeated,
    SendResult,
    Started,
)
from distributor.operations.times import in_words, iso


def report(file: Path, result: SendResult, *, json: bool) -> None:
    """Tell what came of the request to send `file`: in words, or as the object of `send --json`."""
    if json:
        print_json(as_json(result))
    else:
        _print(file, result)


def print_held(file: Path, held: Held) -> None:
    """Why the edition does not go out, a line for each reason."""
    for reason in held.reasons:
        line = f"✕ {file}: held, {reason.code}: {reason.message}"
        err.print(line, style="red", markup=False, soft_wrap=True)


def as_json(result: SendResult) -> dict[str, object]:
    """The object of `send --json`: the same keys whatever came of the request."""
    told: dict[str, object] = {
        "send": None,
        "digest": result.edition.digest.revision,
        "state": None,
        "repetition": False,
        "scheduled_for": None,
        "deadline_at": None,
        "recipients": None,
        "held": [],
        "forced": [],
        "warnings": _reasons_json(result.edition.warnings),
        "already": [],
    }
    match result:
        case Started() | Rehearsed():
            told |= {"recipients": result.recipients, "already": _already_json(result.already)}
            told |= {"forced": _reasons_json(result.forced)}
            told |= {"scheduled_for": iso(result.scheduled_for)}
        case Held(_, reasons, send_id):
            state_word = SendState.HELD.value if send_id is not None else None
            told |= {"send": send_id, "state": state_word, "held": _reasons_json(reasons)}
        case AlreadySent(_, already, is_repetition):
            told |= {"already": _already_json(already), "repetition": is_repetition}
        case Repeated():
            told |= {"repetition": True, "warnings": []}
    if isinstance(result, Started | Repeated):
        told |= {"send": result.send_id, "state": result.state.value}
        told |= {"scheduled_for": iso(result.scheduled_for), "deadline_at": iso(result.deadline_at)}
    return told


def _print(file: Path, result: SendResult) -> None:
    if not isinstance(result, Repeated):
        _print_remarks(file, result.edition.warnings)
    match result:
        case Started():
            _print_already(result.already)
            _print_forced(file, result.forced)
            _say(f"Send {result.send_id} {_how_it_is(result)}: {_to_whom(result)}.")
        case Rehearsed(_, _, scheduled_for):
            _print_already(result.already)
            _print_forced(file, result.forced)
            when = f" at {in_words(scheduled_for)}" if scheduled_for else ""
            _say(f"Would send {_to_whom(result)}{when}. Nothing was sent.")
        case Held():
            print_held(file, result)
            _print_advice(result)
        case AlreadySent(_, already):
            _print_already(already)
            _say("Nothing to send.")
        case Repeated(_, send_id, state):
            _say(f"This request already made send {send_id}, which is {state.value}.")


def _how_it_is(started: Started) -> str:
    when = f" for {in_words(started.scheduled_for)}" if started.scheduled_for else ""
    match started.state:
        case SendState.SCHEDULED:
            return f"is scheduled{when}"
        case SendState.DRAFT:
            return f"waits for approval{when}"
        case _:
            return "is on its way"


def _to_whom(result: Started | Rehearsed) -> str:
    numbers = ", ".join(f"{number:,} on {name}" for name, number in result.recipients.items())
    return f"“{result.edition.digest.title}” to {numbers}"


def _print_remarks(file: Path, warnings: tuple[ReaderWarning, ...]) -> None:
    for warning in warnings:
        _warn(f"{file}: {warning.code}: {warning.message}")


def _print_forced(file: Path, forced: tuple[HoldReason, ...]) -> None:
    for reason in forced:
        _warn(f"{file}: forced, {reason.code}: {reason.message}")


def _print_already(already: Already) -> None:
    for (name, channel), send_id in already.items():
        _say(f"{name} on {channel} got this edition with send {send_id}; to send it again: --again")


def _print_advice(held: Held) -> None:
    codes = " ".join(f"--force {reason.code}" for reason in held.reasons)
    err.print(
        f"Nothing was sent. Correct the file and send it again, or send it as it is: {codes}",
        markup=False,
        soft_wrap=True,
    )


def _say(line: str) -> None:
    out.print(line, markup=False, soft_wrap=True)


def _warn(line: str) -> None:
    err.print(line, style="yellow", markup=False, soft_wrap=True)


def _reasons_json(reasons: tuple[HoldReason, ...] | tuple[ReaderWarning, ...]) -> list[object]:
    return [{"code": one.code, "message": one.message} for one in reasons]


def _already_json(already: Already) -> list[object]:
    return [
        {"list": name, "channel": channel, "send": send_id}
        for (name, channel), send_id in already.items()
    ]
