"""The answers to one claim's messages: at once in the journal, now and then in the ledger.

Writing one down in the ledger costs a transaction. They are collected for half a second, and the
journal keeps them if the worker is killed meanwhile.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import InterfaceError, OperationalError

from channels.base import Fault, Outcome, Part
from distributor.engine import counters, identity
from distributor.engine.context import Context
from distributor.engine.counters import code_class
from distributor.engine.journal import Journal
from distributor.engine.together import InProgress
from distributor.ledger import answers, orphans
from distributor.ledger.answers import Answer
from distributor.ledger.attempts import Attempt
from distributor.ledger.batches import Claim
from distributor.ledger.database import LedgerUnavailable
from distributor.ledger.deliveries import Change
from distributor.ledger.states import DeliveryState

_log = logging.getLogger(__name__)

#: The ledger is told of answers, and asked whether to go on, at least this often, in seconds.
#: A pause takes effect within this time.
_SYNC_SECONDS = 0.5
_LONGEST_REPLY = 500
_LEDGER_AWAY = (OperationalError, InterfaceError, LedgerUnavailable)
_LEDGER_PAUSE_SECONDS = 0.5


class AnswerBook:
    """Used by one thread."""

    def __init__(self, context: Context, claim: Claim, journal: Journal) -> None:
        self._context = context
        self._claim = claim
        self._journal = journal
        self._worker = identity.short(context.worker)
        #: Answers that the journal has and the ledger has not.
        self._answers: list[Answer] = []
        self._synced = time.monotonic()

    @property
    def is_stale(self) -> bool:
        """Whether the ledger was not looked at for so long that it is time again."""
        return time.monotonic() - self._synced >= _SYNC_SECONDS

    def begin(self, group: Sequence[InProgress]) -> None:
        """A message to these is about to leave, in one call."""
        self._journal.begin(*(one.delivery.id for one in group))

    def add(
        self, one: InProgress, part: Part, outcome: Outcome, change: Change, at: datetime, took: int
    ) -> None:
        """What came of it for one of them, after `took` milliseconds."""
        delivery = one.delivery
        answer = Answer(
            subscriber_id=delivery.subscriber_id,
            address=delivery.address,
            suppress=outcome.suppress,
            attempt=Attempt(
                delivery_id=delivery.id,
                part=part.number,
                number=one.attempt,
                at=at,
                outcome=DeliveryState(outcome.verdict.value),
                code=outcome.code,
                reply=outcome.reply[:_LONGEST_REPLY],
                message_id=outcome.message_id,
                worker=self._worker,
                duration_ms=took,
            ),
            change=change,
        )
        self._journal.end(answer)
        self._answers.append(answer)
        self._log_answer(answer, is_our_fault=outcome.fault in (Fault.ACCOUNT, Fault.CONTENT))

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction of the ledger that begins with writing down the answers so far."""
        with self._context.ledger.write() as connection:
            answers.record(connection, self._claim, self._answers)
            yield connection
        self._count(self._answers)
        self._answers.clear()
        self._synced = time.monotonic()

    def save(self) -> None:
        """Write the answers down, after a ledger that is away for a moment came back.

        Not longer than a lease: by then another worker may have settled the deliveries, from
        the journal if it is on this machine.
        """
        deadline = time.monotonic() + self._context.leases.lease.total_seconds()
        is_sure = True
        while self._answers:
            try:
                if not is_sure:
                    self._leave_out_what_is_written()
                with self.writing():
                    pass
            except _LEDGER_AWAY as error:
                stopping = self._context.stopping.wait(_LEDGER_PAUSE_SECONDS)
                if stopping or time.monotonic() > deadline:
                    raise
                # A connection that was lost in a commit does not say whether it took place.
                is_sure = False
                _log.warning(
                    "answers wait to be written down: %s",
                    type(error).__name__,
                    extra=self._claim.about,
                )

    def _leave_out_what_is_written(self) -> None:
        with self._context.ledger.read() as connection:
            missing = orphans.unlogged(connection, self._answers)
        self._count([one for one in self._answers if one not in missing])
        self._answers = missing

    def _count(self, written: Sequence[Answer]) -> None:
        tried = Counter((one.attempt.outcome.value, one.attempt.code) for one in written)
        for (outcome, code), number in tried.items():
            labels = (self._claim.channel, outcome, code_class(code))
            self._context.counters.add(counters.ATTEMPTS, *labels, by=number)

    def _log_answer(self, answer: Answer, *, is_our_fault: bool) -> None:
        level = logging.ERROR if is_our_fault else logging.DEBUG
        if not _log.isEnabledFor(level):
            return
        tried = answer.attempt
        about = {**self._claim.about, "delivery": tried.delivery_id, "address": answer.address}
        words = (tried.part, tried.number, tried.outcome.value, tried.code, tried.reply)
        _log.log(level, "part %s, try %s: %s, %s %s", *words, extra=about)
