"""The courier: gets a lane, the lease of a batch and a connection, and gives them back."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from distributor.engine import recovery
from distributor.engine.batch_run import BatchRun
from distributor.engine.context import Context
from distributor.engine.journal import Journal
from distributor.engine.rests import Rests
from distributor.ledger import batches, sends
from distributor.ledger.batches import Claim

_log = logging.getLogger(__name__)

#: How long the deliveries of an account that is not configured any more are left alone.
_UNCONFIGURED_REST_SECONDS = 60
#: A task gives its batch back after this long, in seconds: well before Redis would think that
#: its worker is lost and give it to another.
LONGEST_TASK_SECONDS = 240


def deliver_batch(context: Context, batch_id: int) -> None:
    """Work on a batch until it has nothing due, its send stops, or this process should end.

    When its account has all the lanes that it may have, the batch waits for one of them, and
    this one is free for another account.
    """
    with context.ledger.read() as connection:
        account = batches.account_of(connection, batch_id)
    if account is None or not context.lanes.enter(account, batch_id, _most_lanes(context, account)):
        return
    ends_at = time.monotonic() + LONGEST_TASK_SECONDS
    following: int | None = batch_id
    try:
        while following is not None and not context.stopping.is_set():
            _deliver(context, following, ends_at)
            if time.monotonic() > ends_at:
                break
            following = context.lanes.next(account)
    except BaseException:
        context.lanes.leave(account)
        raise
    if following is not None:
        context.lanes.leave(account)


def _most_lanes(context: Context, name: str) -> int:
    account = context.settings.accounts.get(name)
    return context.settings.sending.lanes if account is None else account.connections


def _deliver(context: Context, batch_id: int, ends_at: float) -> None:
    at = context.now()
    claim = recovery.claim_and_settle(context, batch_id)
    if claim is None:
        return
    rests = Rests(context, claim)
    with context.leases.keep(claim.token, at):
        try:
            full_until = _work(context, claim, rests, ends_at)
            _hand_back(context, claim, rests, full_until)
        except BaseException:
            with context.ledger.write() as connection:
                batches.drop(connection, claim, context.now())
            raise


def _work(context: Context, claim: Claim, rests: Rests, ends_at: float) -> datetime | None:
    """Deliver what is due; returns until when the account has no room for more, if it has none."""
    account = context.settings.accounts.get(claim.account)
    if account is None:
        _log.error("no account %r is configured", claim.account, extra=claim.about)
        return context.now() + timedelta(seconds=_UNCONFIGURED_REST_SECONDS)
    with context.ledger.read() as connection:
        rests.look(connection)
    if rests.open_until() is not None:
        return None
    journal = Journal(context.journals, claim.token, worker=context.worker, batch_id=claim.batch_id)
    try:
        with context.connections.lend(account) as platform:
            run = BatchRun(context, claim, account, platform, journal, rests, ends_at)
            full_until = run.work()
    except BaseException:
        # The ledger may lack answers that the journal has: the next claim settles them.
        journal.abandon()
        raise
    journal.remove()
    return full_until


def _hand_back(context: Context, claim: Claim, rests: Rests, full_until: datetime | None) -> None:
    with context.ledger.write() as connection:
        open_until = rests.hand_back(connection)
        due_at = batches.release(connection, claim, context.now())
        for until in (open_until, full_until):
            if until is not None:
                batches.rest(connection, claim.account, until)
    if due_at is None:
        # On its own: an operator locks the send before its batches, and would wait for us.
        with context.ledger.write() as connection:
            closed = sends.close_if_done(connection, claim.send_id, context.now())
        if closed:
            _log.info("send %s finished", claim.send_id, extra={"send": claim.send_id})
