"""Starting a send: every check that can be made before anything is written or leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from channels import registry
from channels.base import Account, AccountUnreachable
from distributor.audience import subscribers
from distributor.digest.publishable import HoldReason
from distributor.engine import broker
from distributor.engine.context import Context, Hints
from distributor.ledger import digests, requests, sends
from distributor.ledger.requests import RequestKey
from distributor.ledger.sends import Forced
from distributor.ledger.states import SendState
from distributor.operations import idempotency, send_request, send_targets
from distributor.operations.editions import LoadedEdition, beside_earlier_ones, load
from distributor.operations.errors import OperationError
from distributor.operations.lookup import find_send
from distributor.operations.send_request import (
    AlreadySent,
    Held,
    Rehearsed,
    Repeated,
    SendRequest,
    SendResult,
    Started,
)
from distributor.operations.send_targets import Target


def start(context: Context, hints: Hints, request: SendRequest) -> SendResult:
    """Start a send. Nothing is written when an `OperationError` is raised.

    Raises also `UnreadableDigest`, `AudienceError`, `LedgerUnavailable`, `RedisUnavailable`.
    """
    edition = load(request.path, context.settings)
    key = _request_key(request, edition)
    with context.ledger.read() as connection:
        if (repeated := _repetition(connection, key, edition)) is not None:
            return repeated
    send_request.check(request, context.now())
    if request.test is not None:
        return _start_test(context, hints, request, edition, key)
    with context.ledger.read() as connection:
        targets = send_targets.of_request(connection, request)
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
    targets: Sequence[Target],
    key: RequestKey | None,
) -> SendResult:
    """Start the send of an edition that nothing holds, or whose reasons are forced."""
    with context.ledger.read() as connection:
        fresh, already = _split(connection, request, edition, targets)
        accounts = send_targets.accounts_of(context, connection, fresh)
    if not fresh and key is None:
        return AlreadySent(edition, already)
    if fresh:
        # It is of no interest to a command that is run again whether the platforms answer.
        _check_ways(context, accounts, request)
    if request.dry_run:
        recipients = send_targets.by_channel(fresh)
        return Rehearsed(edition, recipients, request.at, already, edition.reasons)
    try:
        result = _write(context, request, edition, targets, key)
    except IntegrityError:
        # Somebody started the same send at this very moment: now it is there to be seen.
        result = _write(context, request, edition, targets, key)
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
    connection: sa.Connection, key: RequestKey | None, edition: LoadedEdition
) -> Repeated | AlreadySent | None:
    answer = idempotency.answered_before(connection, key) if key else None
    if answer is None:
        return None
    if answer.send_id is None:
        return AlreadySent(edition, answer.already, is_repetition=True)
    send = find_send(connection, answer.send_id)
    return Repeated(edition, send.id, send.state, send.deadline_at, send.scheduled_for)


def _first_or_repetition(
    connection: sa.Connection, key: RequestKey | None, edition: LoadedEdition
) -> Repeated | AlreadySent | None:
    """As `_repetition`, in the transaction that writes the answer: nobody else answers meanwhile.

    Of callers who ask at the same moment, all but one learn here of what that one made.
    """
    if key is not None:
        requests.lock(connection, key)
    return _repetition(connection, key, edition)


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
    targets: Sequence[Target],
    key: RequestKey | None,
) -> Started | AlreadySent | Repeated:
    at = context.now()
    deadline = _deadline(context, request.at or at)
    with context.ledger.write() as connection:
        if (repeated := _first_or_repetition(connection, key, edition)) is not None:
            return repeated
        digest_id = digests.store(
            connection, edition.digest, source=edition.source, name=edition.name, at=at
        )
        fresh, already = _split(connection, request, edition, targets)
        if not fresh:
            if key is not None:
                requests.remember(connection, key, already, at)
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
            deadline_at=deadline,
            again=request.again,
            key=key,
            forced=Forced(_in_words(edition.reasons), request.by) if edition.reasons else None,
        )
    recipients = send_targets.by_channel(fresh)
    return Started(
        edition, send_id, state, recipients, deadline, request.at, already, edition.reasons
    )


def _split(
    connection: sa.Connection,
    request: SendRequest,
    edition: LoadedEdition,
    targets: Sequence[Target],
) -> tuple[list[Target], dict[tuple[str, str], int]]:
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
    context: Context, request: SendRequest, edition: LoadedEdition, targets: Sequence[Target]
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
        raise OperationError(send_targets.without_account(channel))
    _check_ways(context, [account], request)
    if request.dry_run:
        return Rehearsed(edition, {channel: 1})
    result = _write_test(context, edition, channel, address, key)
    if isinstance(result, Started):
        hints.prepare([result.send_id])
    return result


def _write_test(
    context: Context, edition: LoadedEdition, channel: str, address: str, key: RequestKey | None
) -> Started | AlreadySent | Repeated:
    at = context.now()
    deadline = _deadline(context, at)
    with context.ledger.write() as connection:
        if (repeated := _first_or_repetition(connection, key, edition)) is not None:
            return repeated
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
            deadline_at=deadline,
            key=key,
        )
    return Started(edition, send_id, SendState.PREPARING, {channel: 1}, deadline)


def _deadline(context: Context, start_at: datetime) -> datetime:
    return start_at + timedelta(hours=context.settings.sending.deadline_hours)
