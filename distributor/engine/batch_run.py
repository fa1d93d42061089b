"""A run over a batch: one claim's work over one connection.

Deliveries are taken from the ledger and answered to it many at a time. In between, the journal
has a line before each message and one after it, so that a killed worker leaves one message per
connection in doubt, and no more.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from channels import registry
from channels.base import Account, Connection, Fault, Outcome, Part, Recipient, Verdict
from channels.optional import GroupConnection
from distributor.engine import counters, together
from distributor.engine.addressing import Addressing
from distributor.engine.answer_book import AnswerBook
from distributor.engine.context import Context
from distributor.engine.journal import Journal
from distributor.engine.outcomes import change_after
from distributor.engine.rests import Rests
from distributor.engine.together import InProgress
from distributor.ledger import deliveries
from distributor.ledger.batches import Claim
from distributor.ledger.deliveries import Pending

_log = logging.getLogger(__name__)

#: A message may wait this long in its lane for a bucket, in seconds; else it is postponed.
_PACE_SECONDS = 0.25


class BatchRun:
    """Hands what is due of a claimed batch to the platform, until there is a reason to stop."""

    def __init__(
        self,
        context: Context,
        claim: Claim,
        account: Account,
        platform: Connection,
        journal: Journal,
        rests: Rests,
        ends_at: float,
    ) -> None:
        self._context = context
        self._claim = claim
        self._account = account
        self._platform = platform
        self._rests = rests
        self._channel = registry.get(claim.channel)
        self._addressing = Addressing(context, claim, account)
        self._book = AnswerBook(context, claim, journal)
        self._together = platform if isinstance(platform, GroupConnection) else None
        #: Set when the account has no room for another message before then.
        self._full_until: datetime | None = None
        self._ends_at = ends_at
        #: The last look found nothing beyond its chunk; what became due since is the sweeper's.
        self._drained = False
        #: The lease is lost, or the send paused or canceled: nothing more may leave.
        self._halted = False

    def work(self) -> datetime | None:
        """Do it, once; returns until when the account has no room for more, if it has none.

        Raises what keeps the ledger from being written for longer than a lease; the journal has
        all answers then.
        """
        try:
            while self._full_until is None and (taken := self._take()) is not None:
                began = time.monotonic()
                groups = together.groups(taken, self._platform)
                for place, group in enumerate(groups):
                    if not self._sync_and_check():
                        self._put_back([one for later in groups[place:] for one in later])
                        return self._full_until
                    self._send(group)
                took = time.monotonic() - began
                self._context.pace.learn(self._account.name, len(taken), took)
        finally:
            self._book.save()
        return self._full_until

    def _take(self) -> list[Pending] | None:
        """Take what is due into our hands; None when there is nothing, or it must not be taken."""
        if self._drained:
            return None
        due, at = self._look(), self._context.now()
        with self._book.writing() as connection:
            for delivery in due:
                if delivery.skip is not None:
                    deliveries.skip(connection, delivery.id, delivery.skip, at)
            alive = [delivery for delivery in due if delivery.skip is None]
            wanted = self._rests.sift(connection, alive, self._platform, at)
            ids = [delivery.id for delivery in wanted]
            taken = deliveries.take(connection, self._claim, ids, at)
        if not due or (wanted and not taken) or not self._rests.lets_account_through:
            return None
        if self._rests.is_probing:
            self._drained = False  # all the others are still there
        return [delivery for delivery in wanted if delivery.id in taken]

    def _look(self) -> list[Pending]:
        """What is due now; read before anything is locked, because taking compares again."""
        of_lane = self._context.pace.chunk_size(self._account.name)
        size = together.chunk_size(self._platform, of_lane)
        with self._context.ledger.read() as connection:
            due = deliveries.due(connection, self._claim, at=self._context.now(), limit=size + 1)
        self._drained = len(due) <= size
        return due[:size]

    def _sync_and_check(self) -> bool:
        """Whether another message may leave; looks at the ledger when it is time to."""
        if self._halted or self._context.stopping.is_set() or self._full_until is not None:
            return False
        if not self._rests.lets_account_through:
            return False
        if not self._context.leases.is_sure(self._claim.token):
            self._halted = True
        if self._halted or time.monotonic() > self._ends_at:
            return False
        if not self._book.is_stale:
            return True
        with self._book.writing() as connection:
            self._halted = not deliveries.may_go_on(connection, self._claim, self._context.now())
            self._rests.look(connection)
        return not self._halted and self._rests.lets_account_through

    def _put_back(self, untouched: Sequence[Pending], not_before: datetime | None = None) -> None:
        at, ids = self._context.now(), [delivery.id for delivery in untouched]
        with self._book.writing() as connection:
            deliveries.put_back(connection, self._claim, ids, at, not_before=not_before)

    def _send(self, group: Sequence[Pending]) -> None:
        """Hand over what is left of a rendering, to one or to all of a group at once."""
        parts = self._addressing.parts_of(group[0].rendering_id)
        under_way = [InProgress(delivery, delivery.attempts + 1) for delivery in group]
        missing = parts[group[0].accepted_parts :]
        if not missing:
            return self._end_accepted(group)
        for place, part in enumerate(missing):
            if place > 0 and not self._sync_and_check():
                return self._put_back([one.delivery for one in under_way])
            under_way = [one for one in under_way if self._admit(one.delivery)]
            if under_way:
                under_way = self._deliver(under_way, part, part is parts[-1])
        return None

    def _end_accepted(self, group: Sequence[Pending]) -> None:
        """A late report has told of the last part that was missing."""
        at, ids = self._context.now(), [delivery.id for delivery in group]
        with self._book.writing() as connection:
            deliveries.end_accepted(connection, self._claim, ids, at)

    def _deliver(self, group: Sequence[InProgress], part: Part, is_last: bool) -> list[InProgress]:
        """Hand a part over; returns those of whom it was accepted and who get another one."""
        began = time.monotonic()
        self._book.begin(group)
        outcomes = self._hand_over(part, [self._addressing.recipient(one) for one in group])
        took = round((time.monotonic() - began) * 1000)
        wait = together.SharedRetryTime()
        at = self._context.now()
        for one, outcome in zip(group, outcomes, strict=True):
            change = change_after(
                outcome, account=self._account, attempts=one.attempt, is_last_part=is_last, at=at
            )
            self._book.add(one, part, outcome, wait.of(outcome, change), at, took)
        for one, outcome in together.distinct_outcomes(group, outcomes):
            self._tell_others(one, outcome)
        if is_last:
            return []
        return [
            one.after(outcome)
            for one, outcome in zip(group, outcomes, strict=True)
            if outcome.verdict is Verdict.SENT
        ]

    def _admit(self, delivery: Pending) -> bool:
        """Let it leave, or postpone it when something stands in its way; returns which."""
        if not self._rests.may_leave(delivery):
            # Due at once: whoever takes it next sees until when it has to wait.
            self._put_back([delivery])
            self._drained = False
            return False
        return self._charge(delivery)

    def _charge(self, delivery: Pending) -> bool:
        """Charge the shared buckets, or postpone it when one is full; returns which."""
        limits = self._channel.rate_limits(self._account, delivery.address)
        room = self._context.limiter.reserve(limits, _PACE_SECONDS)
        if room.full is None:
            if room.wait > 0:
                # Not longer than a tick of the clock: what keeps messages evenly apart.
                self._context.stopping.wait(room.wait)
            return True
        until = self._context.now() + timedelta(seconds=room.wait)
        if room.full.is_account_wide:
            self._full_until = until
        scope = "account" if room.full.is_account_wide else "recipient"
        self._context.counters.add(counters.RATE_WAITS, self._account.name, scope)
        self._put_back([delivery], not_before=until)
        return False

    def _tell_others(self, one: InProgress, outcome: Outcome) -> None:
        """Let the others know what this answer means for them."""
        if outcome.retry_after and outcome.fault is Fault.PROVIDER:
            for limit in self._channel.rate_limits(self._account, one.delivery.address):
                if limit.obeys_retry_after:
                    self._context.limiter.close(limit, outcome.retry_after)
        if self._rests.learn(one, outcome):
            self._drained = False

    def _hand_over(self, part: Part, recipients: Sequence[Recipient]) -> Sequence[Outcome]:
        try:
            if self._together is not None:
                return self._together.deliver_together(part, recipients)
            return [self._platform.deliver(part, recipient) for recipient in recipients]
        except Exception as error:  # noqa: BLE001
            # A channel must not raise. If it does, the message may have left, and the others
            # of the batch must not suffer.
            _log.exception("the channel broke off", extra=self._claim.about)
            self._open_anew()
            words = f"the channel broke off ({type(error).__name__}); the message may have left"
            broken_off = Outcome(Verdict.UNKNOWN, "channel-bug", words, fault=Fault.CONTENT)
            return [broken_off] * len(recipients)

    def _open_anew(self) -> None:
        """Leave nothing of a connection that broke off to the messages after this one."""
        try:
            self._platform.close()
        except Exception:  # noqa: BLE001
            _log.exception("the connection could not be closed", extra=self._claim.about)
