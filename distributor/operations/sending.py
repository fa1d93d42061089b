"""Starting a send: every check that can be made before anything is written or leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from channels import registry
from channels.base import Account, AccountUnreachable
from distributor.audience import lists, subscribers
from distributor.digest.publishable import HoldReason
from distributor.engine import broker
from distributor.engine.context import Context, Hints
from distributor.engine.planner import routes_of
from distributor.ledger import digests, sends
from distributor.ledger.routing import accounts_of_lists
from distributor.ledger.sends import Audience, Forced, RequestKey
from distributor.ledger.states import SendState
from distributor.operations import idempotency, send_request
from distributor.operations.editions import LoadedEdition, beside_earlier_ones, load
from distributor.operations.errors import OperationError
from distributor.operations.send_request import (
    AlreadySent,
    Held,
    Rehearsed,
    Repeated,
    SendRequest,
    SendResult,
    Started,
)


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
    send_request.check(request, context.now())
    if request.test is not None:
        return _start_test(context, hints, request, edition, key)
    with context.ledger.read() as connection:
        targets = _targets(connection, request)
        before = beside_earlier_ones(connection, edition, context.settings)
    edition = replace(edition, warnings=(*edition.warnings, *before))
    if any(reason.code not in request.force for reason in edition.reasons):
        return _hold(context, request, edition, targets)
    return _go(context, hints, request, edition, targets, key)


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
        return AlreadySent(edition, already)
    _check_ways(context, accounts, request)
    if request.dry_run:
        return Rehearsed(edition, _by_channel(fresh), already, forced=edition.reasons)
    result: Started | AlreadySent | Repeated
    try:
        result = _write(context, request, edition, targets, key)
    except IntegrityError:
        # Somebody started the same send at this very moment: now it is there to be seen.
        result = _repetition(context, key, edition) or _write(
            context, request, edition, targets, key
        )
    if isinstance(result, Started) and result.state is SendState.PREPARING:
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
        "draft": request.draft,
        "force": sorted(set(request.force)),
    }
    return idempotency.key_of(request.idempotency_key, asked_for)


def _repetition(
    context: Context, key: RequestKey | None, edition: LoadedEdition
) -> Repeated | None:
    send = idempotency.made_before(context, key) if key else None
    return Repeated(edition, send.id, send.state) if send else None


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
) -> Started | AlreadySent:
    at = context.now()
    with context.ledger.write() as connection:
        digest_id = digests.store(
            connection, edition.digest, source=edition.source, name=edition.name, at=at
        )
        fresh, already = _split(connection, request, edition, targets)
        if not fresh:
            return AlreadySent(edition, already)
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
    return Started(edition, send_id, state, _by_channel(fresh), already, forced=edition.reasons)


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
) -> Held:
    """Write the held edition down once, so that operators see it; it blocks no later send."""
    held = tuple(reason for reason in edition.reasons if reason.code not in request.force)
    if request.dry_run:
        return Held(edition, held)
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
    return Held(edition, held, send_id)


def _start_test(
    context: Context,
    hints: Hints,
    request: SendRequest,
    edition: LoadedEdition,
    key: RequestKey | None,
) -> SendResult:
    """A test goes out even when the edition would be held: it is how one looks at it."""
    channel, address = send_request.test_address(context, request)
    account = context.settings.account_for(channel, address)
    if account is None:
        raise OperationError(_without_account(channel))
    _check_ways(context, [account], request)
    if request.dry_run:
        return Rehearsed(edition, {channel: 1})
    try:
        send_id = _write_test(context, edition, channel, address, key)
    except IntegrityError:
        # Somebody asked for the same under the same key at this very moment.
        if repetition := _repetition(context, key, edition):
            return repetition
        raise
    hints.prepare([send_id])
    return Started(edition, send_id, SendState.PREPARING, {channel: 1})


def _write_test(
    context: Context, edition: LoadedEdition, channel: str, address: str, key: RequestKey | None
) -> int:
    at = context.now()
    with context.ledger.write() as connection:
        digest_id = digests.store(
            connection, edition.digest, source=edition.source, name=edition.name, at=at
        )
        target = subscribers.ensure(connection, channel, address)
        return sends.create(
            connection,
            digest_id=digest_id,
            state=SendState.PREPARING,
            targets=[target],
            at=at,
            deadline_at=_deadline(context, at),
            key=key,
        )


def _by_channel(targets: Sequence[_Target]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for target in targets:
        sizes[target.audience.channel] = sizes.get(target.audience.channel, 0) + target.size
    return dict(sorted(sizes.items()))


def _deadline(context: Context, start_at: datetime) -> datetime:
    return start_at + timedelta(hours=context.settings.sending.deadline_hours)
