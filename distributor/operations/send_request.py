"""A request to send: what may be asked for, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from channels import registry
from channels.base import AddressError
from distributor.digest.publishable import HoldReason
from distributor.digest.verdict import HOLDING_CODES
from distributor.engine.context import Context
from distributor.ledger.states import SendState
from distributor.operations import start_time
from distributor.operations.editions import LoadedEdition
from distributor.operations.errors import WrongRequest
from distributor.operations.lookup import check_channels


@dataclass(frozen=True, slots=True)
class SendRequest:
    path: Path
    #: Names of lists; empty only for a test.
    lists: Sequence[str] = ()
    #: Only these channels; empty: all that the lists have subscribers on.
    channels: Sequence[str] = ()
    #: Start at this time instead of now.
    at: datetime | None = None
    #: Send only to this address, `channel:address` or an address that one channel alone takes.
    test: str | None = None
    #: Send even what was sent to the same list before.
    again: bool = False
    #: Codes of reasons to hold the edition that do not hold this send.
    force: Sequence[str] = ()
    #: Who asks, for the record of what was forced.
    by: str = ""
    #: Only write it down, to go out once somebody approves it.
    draft: bool = False
    #: Check everything and say what would happen, but write nothing.
    dry_run: bool = False
    #: The caller's own name for this request: repeated under the same name, it makes one send.
    idempotency_key: str | None = None


#: By (list, channel), the send that brought this revision there before.
Already: TypeAlias = Mapping[tuple[str, str], int]
#: Subscribers to reach, by channel.
Recipients: TypeAlias = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Started:
    """A send was written: it goes out at once, at its time, or once somebody approves it."""

    edition: LoadedEdition
    send_id: int
    state: SendState
    recipients: Recipients
    deadline_at: datetime
    scheduled_for: datetime | None = None
    #: Left out of this send.
    already: Already = field(default_factory=dict)
    #: Why it would not have gone out, had nobody forced it.
    forced: tuple[HoldReason, ...] = ()


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A dry run: what would be sent. Nothing was written."""

    edition: LoadedEdition
    recipients: Recipients
    scheduled_for: datetime | None = None
    already: Already = field(default_factory=dict)
    forced: tuple[HoldReason, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """The edition does not go out."""

    edition: LoadedEdition
    reasons: tuple[HoldReason, ...]
    #: The send that shows operators so; None for a dry run.
    send_id: int | None = None


@dataclass(frozen=True, slots=True)
class AlreadySent:
    """Everybody who was asked for had this revision with earlier sends."""

    edition: LoadedEdition
    already: Already
    #: This request was answered so before, under the same key.
    is_repetition: bool = False


@dataclass(frozen=True, slots=True)
class Repeated:
    """This request had been made before under the same key: its send, as it stands."""

    edition: LoadedEdition
    send_id: int
    state: SendState
    deadline_at: datetime
    scheduled_for: datetime | None = None


#: What came of a request to send.
SendResult: TypeAlias = Started | Rehearsed | Held | AlreadySent | Repeated


def check(request: SendRequest, now: datetime) -> None:
    """Raise `WrongRequest` for a request that makes no sense, whatever the ledger holds."""
    if bool(request.lists) == (request.test is not None):
        raise WrongRequest("name at least one list with --list, or one address with --test")
    if request.draft and request.test is not None:
        raise WrongRequest("a test goes to one address at once: it needs nobody to approve it")
    if request.at is not None:
        start_time.check(request.at, now)
    for code in request.force:
        if code not in HOLDING_CODES:
            known = ", ".join(HOLDING_CODES)
            raise WrongRequest(f"--force {code}: nothing is held for that; there are: {known}")
    check_channels(request.channels)


def test_address(context: Context, request: SendRequest) -> tuple[str, str]:
    """Channel and address of a test; one without `CHANNEL:` is of a channel that is in use.

    Raises `WrongRequest` when no channel takes it, or several do.
    """
    text = request.test or ""
    named, separator, rest = text.partition(":")
    if separator and named in registry.names():
        candidates, text = [named], rest
    else:
        in_use = [name for name in registry.names() if context.settings.accounts_of(name)]
        candidates = list(request.channels or in_use)
    fits: list[tuple[str, str]] = []
    for channel in candidates:
        try:
            fits.append((channel, registry.get(channel).parse_address(text)))
        except AddressError:
            continue
    if len(fits) != 1:
        found = " and ".join(channel for channel, _ in fits) or "no channel"
        raise WrongRequest(
            f"--test {text}: an address of {found}; say which one as CHANNEL:ADDRESS, "
            "for example email:me@example.org"
        )
    return fits[0]
