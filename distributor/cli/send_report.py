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
    Recipients,
    Rehearsed,
    Repeated,
    SendResult,
    Started,
)


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
        "recipients": None,
        "held": [],
        "forced": [],
        "warnings": _reasons_json(result.edition.warnings),
        "already": [],
    }
    match result:
        case Started(_, send_id, state, recipients, already, forced):
            told |= {"send": send_id, "state": state.value, "recipients": recipients}
            told |= {"forced": _reasons_json(forced), "already": _already_json(already)}
        case Rehearsed(_, recipients, already, forced):
            told |= {"recipients": recipients, "forced": _reasons_json(forced)}
            told |= {"already": _already_json(already)}
        case Held(_, reasons, send_id):
            state_word = SendState.HELD.value if send_id is not None else None
            told |= {"send": send_id, "state": state_word, "held": _reasons_json(reasons)}
        case AlreadySent(_, already, is_repetition):
            told |= {"already": _already_json(already), "repetition": is_repetition}
        case Repeated(_, send_id, state):
            told |= {"send": send_id, "state": state.value, "repetition": True, "warnings": []}
    return told


def _print(file: Path, result: SendResult) -> None:
    if not isinstance(result, Repeated):
        _print_remarks(file, result.edition.warnings)
    match result:
        case Started(_, send_id, state, recipients, already, forced):
            _print_already(already)
            _print_forced(file, forced)
            to = _to_whom(result, recipients)
            _say(f"Send {send_id} {_how_it_is(state)}: {to}.")
        case Rehearsed(_, recipients, already, forced):
            _print_already(already)
            _print_forced(file, forced)
            _say(f"Would send {_to_whom(result, recipients)}. Nothing was sent.")
        case Held():
            print_held(file, result)
            _print_advice(result)
        case AlreadySent(_, already):
            _print_already(already)
            _say("Nothing to send.")
        case Repeated(_, send_id, state):
            _say(f"This request made send {send_id} before, which is {state.value}.")


def _how_it_is(state: SendState) -> str:
    match state:
        case SendState.SCHEDULED:
            return "is scheduled"
        case SendState.DRAFT:
            return "waits for somebody to approve it"
        case _:
            return "is on its way"


def _to_whom(result: SendResult, recipients: Recipients) -> str:
    numbers = ", ".join(f"{number:,} on {name}" for name, number in recipients.items())
    return f"“{result.edition.digest.title}” to {numbers}"


def _print_remarks(file: Path, warnings: tuple[ReaderWarning, ...]) -> None:
    for warning in warnings:
        _warn(f"{file}: {warning.code}: {warning.message}")


def _print_forced(file: Path, forced: tuple[HoldReason, ...]) -> None:
    for reason in forced:
        _warn(f"{file}: forced, {reason.code}: {reason.message}")


def _print_already(already: Already) -> None:
    for (name, channel), send_id in already.items():
        _say(
            f"{name} on {channel} had this edition with send {send_id}; "
            "to send it once more: --again"
        )


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
