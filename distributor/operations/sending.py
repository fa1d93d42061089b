"""Starting a send: every check that can be made before anything is written or leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from channels import registry
from channels.base import Account, AccountUnreachable, AddressError
from distributor.audience import lists, subscribers
from distributor.digest.model import ReaderWarning
from distributor.digest.publishable import HoldReason
from distributor.digest.verdict import HOLDING_CODES
from distributor.engine import broker
from distributor.engine.context import Context, Hints
from distributor.engine.planner import routes_of
from distributor.ledger import digests, sends
from distributor.ledger.routing import accounts_of_lists
from distributor.ledger.sends import Audience, Forced, RequestKey
from distributor.ledger.states import SendState
from distributor.operations import idempotency
from distributor.operations.editions import LoadedEdition, beside_earlier_ones, load
from distributor.operations.errors import OperationError, WrongRequest


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


@dataclass(frozen=True, slots=True)
class SendResult:
    """What came of a request. Exactly one of started, held, already sent, or dry run."""

    edition: LoadedEdition
    #: The send that was started, or held.
    send_id: int | None = None
    state: SendState | None = None
    #: Subscribers to reach, by channel.
    recipients: Mapping[str, int] | None = None
    #: Why the edition does not go out.
    held: tuple[HoldReason, ...] = ()
    #: Why it would not have gone out, had nobody forced it.
    forced: tuple[HoldReason, ...] = ()
    #: What an operator should know of the edition.
    warnings: tuple[ReaderWarning, ...] = ()
    #: Sends that brought this revision to (list, channel) before; left out of this one.
    already: Mapping[tuple[str, str], int] | None = None
    #: The send was there already: this request had been made before under the same key.
    is_repetition: bool = False


@dataclass(frozen=True, slots=True)
class _Target:
    audience: Audience
    list_name: str
    size: int


def start(context: Context, hints: Hints, request: SendRequest) -> SendResult:
    """Start a send. Nothing is written when an `OperationError` is raised.

    Raises also `UnreadableDigest`, `AudienceError`, `LedgerUnavailable`, `RedisUnavailable`.
    """
    edition = load(request.path, context.settings)
    key = _request_key(request, edition)
    if (repeated := _repetition(context, key, edition)) is not None:
        return repeated
    _check_request(request, context.now())
    if request.test is not None:
        result = _start_test(context, hints, request, edition, key)
        return replace(result, warnings=edition.warnings)
    with context.ledger.read() as connection:
        targets = _targets(connection, request)
        before = beside_earlier_ones(connection, edition, context.settings)
    if any(reason.code not in request.force for reason in edition.reasons):
        result = _hold(context, request, edition, targets)
    else:
        result = _go(context, hints, request, edition, targets, key)
    return replace(result, warnings=(*edition.warnings, *before))


def _go(
    context: Context,
    hints: Hints,
    request: SendRequest,
    edition: LoadedEdition,
    targets: Sequence[_Target],
    key: RequestKey | None,
) -> SendResult:
    """Start the send of an edition that nothing holds, or whose reasons are forced."""
    with context.ledger.read() as connection:
        fresh, already = _split(connection, request, edition, targets)
        accounts = _accounts(context, connection, fresh)
    if not fresh:
        # Whether the platforms answer is of no interest to a command that is run again.
        return SendResult(edition, already=already)
    _check_ways(context, accounts, request)
    if request.dry_run:
        recipients = _by_channel(fresh)
        return SendResult(edition, recipients=recipients, already=already, forced=edition.reasons)
    try:
        result = _write(context, request, edition, targets, key)
    except IntegrityError:
        # Somebody started the same send at this very moment: now it is there to be seen.
        result = _repetition(context, key, edition) or _write(
            context, request, edition, targets, key
        )
    if result.send_id is not None and result.state is SendState.PREPARING:
        hints.prepare([result.send_id])
    return result


def _request_key(request: SendRequest, edition: LoadedEdition) -> RequestKey | None:
    if request.idempotency_key is None or request.dry_run:
        return None
    asked_for = {
        "revision": edition.digest.revision,
        "lists": sorted(set(request.lists)),
        "channels": sorted(set(request.channels)),
        "at": request.at.astimezone(UTC).isoformat() if request.at else None,
        "test": request.test,
        "again": request.again,
        "force": sorted(set(request.force)),
    }
    return idempotency.key_of(request.idempotency_key, asked_for)


def _repetition(
    context: Context, key: RequestKey | None, edition: LoadedEdition
) -> SendResult | None:
    send = idempotency.made_before(context, key) if key else None
    if send is None:
        return None
    return SendResult(edition, send_id=send.id, state=send.state, is_repetition=True)


def _check_request(request: SendRequest, now: datetime) -> None:
    if bool(request.lists) == (request.test is not None):
        raise WrongRequest("name at least one list with --list, or one address with --test")
    if request.draft and request.test is not None:
        raise WrongRequest("a test goes to one address at once: it needs nobody to approve it")
    if request.at is not None and request.at <= now:
        raise WrongRequest(f"--at {request.at.isoformat()} is past; to send now, leave it out")
    for code in request.force:
        if code not in HOLDING_CODES:
            known = ", ".join(HOLDING_CODES)
            raise WrongRequest(f"--force {code}: nothing is held for that; there are: {known}")
    for channel in request.channels:
        if channel not in registry.names():
            known = ", ".join(registry.names())
            raise WrongRequest(f"there is no channel {channel!r}; there are: {known}")


def _targets(connection: sa.Connection, request: SendRequest) -> list[_Target]:
    found = [lists.get_open(connection, name) for name in dict.fromkeys(request.lists)]
    members = {one.name: one.members for one in lists.overview(connection)}
    targets = [
        _Target(Audience(one.id, channel), one.name, size)
        for one in found
        for channel, size in members[one.name].items()
        if not request.channels or channel in request.channels
    ]
    for one in found:
        if not any(target.list_name == one.name for target in targets):
            on = f" on {' or '.join(request.channels)}" if request.channels else ""
            channel = request.channels[0] if request.channels else "email"
            raise OperationError(
                f"the list {one.name!r} has no subscribers{on}; add some with: "
                f"distributor subscribers add ADDRESS --channel {channel} --list {one.name}"
            )
    return targets


def _accounts(
    context: Context, connection: sa.Connection, targets: Sequence[_Target]
) -> list[Account]:
    """The accounts that serve the audience. Raises `OperationError` when somebody has none."""
    found: list[Account] = []
    for channel in sorted({target.audience.channel for target in targets}):
        ids = {one.audience.list_id for one in targets if one.audience.channel == channel}
        routes = routes_of(context, channel)
        for name in accounts_of_lists(connection, ids, channel, routes):
            account = context.settings.accounts.get(name)
            if account is None or account.channel != channel:
                raise OperationError(_without_account(channel, name))
            found.append(account)
    return found


def _without_account(channel: str, name: str = "") -> str:
    table, named = name or "NAME", f" named {name!r}" if name else ""
    return (
        f"no account{named} is configured for {channel}; add an [accounts.{table}] table with "
        f'channel = "{channel}" to the configuration, or leave it out with --channel'
    )


def _check_ways(context: Context, accounts: Sequence[Account], request: SendRequest) -> None:
    """What is to leave now can leave."""
    if request.at is not None or request.dry_run or request.draft:
        return
    if not context.settings.is_embedded_redis:
        broker.check(context.settings)
    for account in accounts:
        try:
            registry.get(account.channel).check(account)
        except AccountUnreachable as error:
            raise OperationError(f"{str(error).rstrip('.')}. Nothing was sent.") from error


def _write(
    context: Context,
    request: SendRequest,
    edition: LoadedEdition,
    targets: Sequence[_Target],
    key: RequestKey | None,
) -> SendResult:
    at = context.now()
    with context.ledger.write() as connection:
        digest_id = digests.store(
            connection, edition.digest, source=edition.source, name=edition.name, at=at
        )
        fresh, already = _split(connection, request, edition, targets)
        if not fresh:
            return SendResult(edition, already=already)
        state = SendState.PREPARING if request.at is None else SendState.SCHEDULED
        state = SendState.DRAFT if request.draft else state
        send_id = sends.create(
            connection,
            digest_id=digest_id,
            state=state,
            audiences=[target.audience for target in fresh],
            at=at,
            scheduled_for=request.at,
            deadline_at=_deadline(context, request.at or at),
            again=request.again,
            key=key,
            forced=Forced(_in_words(edition.reasons), request.by) if edition.reasons else None,
        )
    return SendResult(
        edition,
        send_id=send_id,
        state=state,
        recipients=_by_channel(fresh),
        already=already,
        forced=edition.reasons,
    )


def _split(
    connection: sa.Connection,
    request: SendRequest,
    edition: LoadedEdition,
    targets: Sequence[_Target],
) -> tuple[list[_Target], dict[tuple[str, str], int]]:
    """Those that are to get the edition now, and by (list, channel) the sends to the others."""
    digest_id = digests.find(connection, edition.digest.revision)
    if request.again or digest_id is None:
        return list(targets), {}
    before = sends.already_sent(connection, digest_id, [target.audience for target in targets])
    already = {
        (target.list_name, target.audience.channel): before[target.audience]
        for target in targets
        if target.audience in before
    }
    return [target for target in targets if target.audience not in before], already


def _in_words(reasons: Sequence[HoldReason]) -> str:
    return "; ".join(f"{reason.code}: {reason.message}" for reason in reasons)


def _hold(
    context: Context, request: SendRequest, edition: LoadedEdition, targets: Sequence[_Target]
) -> SendResult:
    """Write the held edition down once, so that operators see it; it blocks no later send."""
    held = tuple(reason for reason in edition.reasons if reason.code not in request.force)
    if request.dry_run:
        return SendResult(edition, held=held)
    at = context.now()
    with context.ledger.write() as connection:
        digest_id = digests.store(
            connection, edition.digest, source=edition.source, name=edition.name, at=at
        )
        send_id = sends.held_before(connection, digest_id)
        if send_id is None:
            send_id = sends.create(
                connection,
                digest_id=digest_id,
                state=SendState.PREPARING,
                audiences=[target.audience for target in targets],
                at=at,
                deadline_at=_deadline(context, at),
                # Held, it takes no run: nothing it could clash with.
                again=True,
            )
            sends.hold(connection, send_id, _in_words(held))
    return SendResult(edition, send_id=send_id, state=SendState.HELD, held=held)


def _start_test(
    context: Context,
    hints: Hints,
    request: SendRequest,
    edition: LoadedEdition,
    key: RequestKey | None,
) -> SendResult:
    """A test goes out even when the edition would be held: it is how one looks at it."""
    channel, address = _test_address(context, request)
    account = context.settings.account_for(channel, address)
    if account is None:
        raise OperationError(_without_account(channel))
    _check_ways(context, [account], request)
    if request.dry_run:
        return SendResult(edition, recipients={channel: 1})
    at = context.now()
    with context.ledger.write() as connection:
        digest_id = digests.store(
            connection, edition.digest, source=edition.source, name=edition.name, at=at
        )
        target = subscribers.ensure(connection, channel, address)
        send_id = sends.create(
            connection,
            digest_id=digest_id,
            state=SendState.PREPARING,
            targets=[target],
            at=at,
            deadline_at=_deadline(context, at),
            key=key,
        )
    hints.prepare([send_id])
    return SendResult(edition, send_id=send_id, state=SendState.PREPARING, recipients={channel: 1})


def _test_address(context: Context, request: SendRequest) -> tuple[str, str]:
    """Channel and address of a test; one without `CHANNEL:` is of a channel that is in use."""
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


def _by_channel(targets: Sequence[_Target]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for target in targets:
        sizes[target.audience.channel] = sizes.get(target.audience.channel, 0) + target.size
    return dict(sorted(sizes.items()))


def _deadline(context: Context, start_at: datetime) -> datetime:
    return start_at + timedelta(hours=context.settings.sending.deadline_hours)
