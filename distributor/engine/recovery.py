"""Recovery: finding out what lost workers had done, from the journals on this machine's disk."""

from __future__ import annotations

import logging

import sqlalchemy as sa

from distributor.engine import counters, identity, journal
from distributor.engine.context import Context
from distributor.engine.journal import Record
from distributor.ledger import answers, batches, orphans
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


def take_over_from_the_dead(context: Context) -> int:
    """Settle and free the batches of processes of this machine that are gone; returns how many."""
    with context.ledger.read() as connection:
        held = batches.held(connection)
    lost = [(batch_id, holder) for batch_id, holder in held if identity.is_gone(holder)]
    claims = [claim for one in lost if (claim := _take_over(context, *one)) is not None]
    if claims:
        with context.ledger.write() as connection:
            # The lost workers had fetched tasks for other batches too.
            batches.forget_hints(connection, {claim.channel for claim in claims})
        _log.warning("%s batches taken back from lost workers", len(claims))
    return len(claims)


def hear_late_evidence(context: Context) -> int:
    """Read the journals of dead processes whose batches went to others; returns how many.

    A worker of another machine may have taken a batch over without this machine's journal and
    called every message in it unknown. Here is the truth about them.
    """
    heard = 0
    for token in journal.tokens(context.journals):
        record = journal.read(context.journals, token)
        if record is not None and identity.is_gone(record.worker):
            heard += _hear(context, record)
    return heard


def _take_over(context: Context, batch_id: int, holder: str) -> Claim | None:
    with context.ledger.write() as connection:
        claim = batches.seize(
            connection,
            batch_id,
            holder=holder,
            worker=context.worker,
            at=context.now(),
            lease=context.leases.lease,
        )
        if claim is None:
            return None
        _settle(context, connection, claim)
        # The sweep that called closes the send when this was its last batch.
        batches.release(connection, claim, context.now())
    _settled(context, claim)
    return claim


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


def _hear(context: Context, record: Record) -> bool:
    with context.ledger.write() as connection:
        claim = batches.with_token(connection, record.batch_id, record.token)
        if claim is not None and batches.hold(connection, claim):
            return False  # nobody has taken it over yet; that will settle it
        if claim is not None:
            late = orphans.unlogged(connection, record.evidence.answers)
            answers.record(connection, claim, late)
    journal.discard(context.journals, record.token)
    return True
