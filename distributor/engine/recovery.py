"""Recovery: finding out what lost workers had done, from the journals on this machine's disk."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import sqlalchemy as sa

from distributor.engine import counters, identity, journal
from distributor.engine.context import Context
from distributor.engine.journal import Record
from distributor.ledger import answers, batches, hinting, orphans
from distributor.ledger.batches import Claim

_log = logging.getLogger(__name__)


def claim_and_settle(context: Context, batch_id: int) -> Claim | None:
    """Claim a batch that is due, and settle what a former holder left; None when it is not ours."""
    with context.ledger.write() as connection:
        claim = batches.claim(
            connection,
            batch_id,
            worker=context.worker,
            at=context.now(),
            lease=context.leases.lease,
        )
        if claim is not None:
            _settle(context, connection, claim)
    if claim is not None:
        _settled(context, claim)
    return claim


def recover(context: Context) -> int:
    """Settle what lost workers of this machine left; returns how many batches that freed.

    A journal that nobody writes any more says what its worker had done. Where it held its batch
    to the end, that is free again. Where a worker of another machine has taken the batch over
    meanwhile, and had to call every message in it unknown, here is the truth about them.
    """
    claims = [*_from_journals(context), *_from_the_gone(context)]
    if claims:
        with context.ledger.write() as connection:
            # The lost workers had fetched tasks for other batches too.
            hinting.forget_hints(connection, {claim.channel for claim in claims})
        _log.warning("%s batches taken back from lost workers", len(claims))
    return len(claims)


def _from_journals(context: Context) -> Iterator[Claim]:
    for token in journal.tokens(context.journals):
        try:
            claim = _from_journal(context, token)
        except OSError as error:
            # It must not keep the others from being heard.
            _log.warning("the journal %s cannot be read: %s", token, error.strerror)
            continue
        if claim is not None:
            yield claim


def _from_journal(context: Context, token: str) -> Claim | None:
    with journal.left_behind(context.journals, token) as record:
        if record is None:
            return None
        claim = _take_over(context, record.batch_id, token)
        if claim is None:
            _record_late_answers(context, record)
        return claim


def _from_the_gone(context: Context) -> Iterator[Claim]:
    """Those that had no journal yet, or none any more."""
    with context.ledger.read() as connection:
        held = batches.held(connection)
    for lease in held:
        if identity.is_gone(lease.holder):
            claim = _take_over(context, lease.batch_id, lease.token)
            if claim is not None:
                yield claim


def _take_over(context: Context, batch_id: int, token: str) -> Claim | None:
    with context.ledger.write() as connection:
        claim = batches.seize(
            connection,
            batch_id,
            token=token,
            worker=context.worker,
            at=context.now(),
            lease=context.leases.lease,
        )
        if claim is None:
            return None
        _settle(context, connection, claim)
        # The sweeper closes the send when this was its last batch.
        batches.release(connection, claim, context.now())
    _settled(context, claim)
    return claim


def _record_late_answers(context: Context, record: Record) -> None:
    """Record answers of a worker whose lease another one took over, from its journal."""
    with context.ledger.write() as connection:
        claim = batches.with_token(connection, record.batch_id, record.token)
        if claim is not None:
            late = orphans.unlogged(connection, record.evidence.answers)
            answers.record(connection, claim, late)
    journal.discard(context.journals, record.token)


def _settled(context: Context, claim: Claim) -> None:
    if claim.former is None:
        return
    journal.discard(context.journals, claim.former)
    context.counters.add(counters.LEASES_LOST, claim.channel)
    _log.warning("a batch was taken over that was not given back", extra=claim.about)


def _settle(context: Context, connection: sa.Connection, claim: Claim) -> None:
    account = context.settings.accounts.get(claim.account)
    record = journal.read(context.journals, claim.former) if claim.former else None
    orphans.settle(
        connection,
        claim,
        record.evidence if record else None,
        resend=account is not None and account.on_unknown == "resend",
        worker=identity.short(context.worker),
        at=context.now(),
    )
