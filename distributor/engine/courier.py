"""The courier: claims a batch and hands its deliveries to the platform, one after another.

Before a message leaves, the ledger says `sending`; after the platform's answer it says what came
of it. Both writes share one transaction from delivery to delivery, so that a crash leaves at most
one message per open connection in doubt.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import InterfaceError, OperationalError

from channels.base import Account, Connection, Fault, Outcome, Part, Recipient, Verdict
from distributor.engine import identity
from distributor.engine.context import Context
from distributor.engine.outcomes import ACCOUNT_REST_SECONDS, change_after
from distributor.ledger import batches, deliveries, orphans, sends
from distributor.ledger.attempts import Attempt
from distributor.ledger.batches import Claim
from distributor.ledger.database import LedgerUnavailable
from distributor.ledger.deliveries import Change, Pending
from distributor.ledger.states import DeliveryState

_log = logging.getLogger(__name__)

#: Deliveries read from the ledger at a time.
_CHUNK = 50
_LONGEST_REPLY = 500
_LEDGER_AWAY = (OperationalError, InterfaceError, LedgerUnavailable)
_LEDGER_PAUSE_SECONDS = 0.5


def deliver_batch(context: Context, batch_id: int) -> None:
    """Work on a batch until it has nothing due, its send stops, or this process should end."""
    account = None
    with context.ledger.write() as connection:
        claim = batches.claim(
            connection,
            batch_id,
            worker=context.worker,
            at=context.now(),
            lease=context.leases.lease,
        )
        if claim is not None:
            account = context.settings.accounts.get(claim.account)
            orphans.settle(
                connection,
                claim,
                resend=account is not None and account.on_unknown == "resend",
                worker=identity.short(context.worker),
                at=context.now(),
            )
    if claim is None:
        return
    rest_until = None
    with context.leases.keep(claim.token):
        try:
            rest_until = _work(context, claim, account)
        finally:
            _hand_back(context, claim, rest_until)


def _work(context: Context, claim: Claim, account: Account | None) -> datetime | None:
    """Deliver what is due; returns until when the account should be left alone, if it should."""
    if account is None:
        _log.error("batch %s: no account %r is configured", claim.batch_id, claim.account)
        return context.now() + timedelta(seconds=ACCOUNT_REST_SECONDS)
    with context.connections.lend(account) as connection:
        round_ = _Round(context, claim, account, connection)
        round_.work()
    return round_.rest_until


def _hand_back(context: Context, claim: Claim, rest_until: datetime | None) -> None:
    with context.ledger.write() as connection:
        due_at = batches.release(connection, claim, context.now())
        if rest_until is not None:
            batches.rest(connection, claim.account, rest_until)
        if due_at is None and sends.close_if_done(connection, claim.send_id, context.now()):
            _log.info("send %s finished", claim.send_id)


class _Round:
    """One claim's work over one connection."""

    def __init__(
        self, context: Context, claim: Claim, account: Account, connection: Connection
    ) -> None:
        self._context = context
        self._claim = claim
        self._account = account
        self._connection = connection
        self._worker = identity.short(context.worker)
        self._parts: dict[int, list[Part]] = {}
        #: Set when the account cannot send at all: nobody should try before then.
        self.rest_until: datetime | None = None
        #: The last answer, which the next transaction writes down.
        self._answered: tuple[Pending, Attempt, Change, Outcome] | None = None

    def work(self) -> None:
        try:
            while pending := self._due():
                for delivery in pending:
                    if self._context.stopping.is_set() or not self._start(delivery):
                        return
                    if self.rest_until is not None:
                        return
        finally:
            self._save_answer()

    def _due(self) -> list[Pending]:
        self._write_answer()
        with self._context.ledger.read() as connection:
            return deliveries.due(connection, self._claim, at=self._context.now(), limit=_CHUNK)

    def _start(self, delivery: Pending) -> bool:
        """Take `delivery` and send it; False when this batch must not go on."""
        with self._transaction() as connection:
            if delivery.skip is not None:
                deliveries.skip(connection, delivery.id, delivery.skip, self._context.now())
                return True
            if not deliveries.take(connection, self._claim, delivery.id, self._context.now()):
                return False
        self._send(delivery)
        return True

    def _send(self, delivery: Pending) -> None:
        parts = self._parts_of(delivery.rendering_id)
        attempt, accepted = delivery.attempts + 1, list(delivery.accepted)
        for part in parts[delivery.accepted_parts :]:
            self._write_answer()
            recipient = self._recipient(delivery, tuple(accepted))
            outcome = self._deliver(delivery, part, recipient, attempt, part is parts[-1])
            if outcome.verdict is not Verdict.SENT:
                return
            if outcome.message_id is not None:
                accepted.append(outcome.message_id)
            attempt = 1

    def _deliver(
        self, delivery: Pending, part: Part, recipient: Recipient, attempt: int, is_last: bool
    ) -> Outcome:
        began = time.monotonic()
        outcome = self._hand_over(part, recipient)
        at = self._context.now()
        tried = Attempt(
            delivery_id=delivery.id,
            part=part.number,
            number=attempt,
            at=at,
            outcome=DeliveryState(outcome.verdict.value),
            code=outcome.code,
            reply=outcome.reply[:_LONGEST_REPLY],
            message_id=outcome.message_id,
            worker=self._worker,
            duration_ms=round((time.monotonic() - began) * 1000),
        )
        change = change_after(
            outcome, account=self._account, attempts=attempt, is_last_part=is_last, at=at
        )
        self._answered = (delivery, tried, change, outcome)
        if outcome.fault in (Fault.ACCOUNT, Fault.CONTENT):
            _log.error("account %s: %s %s", self._account.name, outcome.code, outcome.reply)
        if outcome.verdict is Verdict.RETRYING and outcome.fault is Fault.ACCOUNT:
            self.rest_until = change.next_attempt_at
        return outcome

    def _hand_over(self, part: Part, recipient: Recipient) -> Outcome:
        try:
            return self._connection.deliver(part, recipient)
        except Exception as error:  # noqa: BLE001
            # A channel must not raise. If it does, the message may have left, and the others
            # of the batch must not suffer.
            _log.exception("account %s: the channel broke off", self._account.name)
            words = f"the channel broke off ({type(error).__name__}); the message may have left"
            return Outcome(Verdict.UNKNOWN, "channel-bug", words, fault=Fault.CONTENT)

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        """A write transaction that begins with the last answer, kept until it has committed."""
        with self._context.ledger.write() as connection:
            if self._answered is not None:
                self._write(connection, *self._answered)
            yield connection
        self._answered = None

    def _write_answer(self) -> None:
        if self._answered is not None:
            with self._transaction():
                pass

    def _save_answer(self) -> None:
        """Write the last answer down, after a ledger that is away for a moment came back.

        Not longer than a lease: by then another worker may have settled the delivery.
        """
        deadline = time.monotonic() + self._context.leases.lease.total_seconds()
        while True:
            try:
                return self._write_answer()
            except _LEDGER_AWAY as error:
                stopping = self._context.stopping.wait(_LEDGER_PAUSE_SECONDS)
                if stopping or time.monotonic() > deadline:
                    raise
                _log.warning("an answer waits to be written down: %s", type(error).__name__)

    def _write(
        self,
        connection: sa.Connection,
        delivery: Pending,
        attempt: Attempt,
        change: Change,
        outcome: Outcome,
    ) -> None:
        deliveries.record(connection, self._claim, attempt, change)
        if outcome.suppress is not None:
            deliveries.suppress(
                connection,
                self._claim.channel,
                delivery.address,
                reason=outcome.suppress,
                detail=f"send {self._claim.send_id}: {attempt.code} {attempt.reply}",
                at=attempt.at,
            )
        if outcome.moved_to is not None:
            deliveries.move_subscriber(connection, delivery.subscriber_id, outcome.moved_to)

    def _parts_of(self, rendering_id: int) -> list[Part]:
        if rendering_id not in self._parts:
            with self._context.ledger.read() as connection:
                stored = deliveries.payloads(connection, rendering_id)
            self._parts[rendering_id] = [
                Part(number, payload) for number, payload in enumerate(stored, start=1)
            ]
        return self._parts[rendering_id]

    def _recipient(self, delivery: Pending, accepted: tuple[str, ...]) -> Recipient:
        send_id, subscriber_id = self._claim.send_id, delivery.subscriber_id
        token = self._context.tokens.issue(subscriber_id, send_id)
        return Recipient(
            address=delivery.address,
            identity=f"{send_id}-{self._claim.revision[:16]}-{subscriber_id}",
            name=delivery.name,
            attributes=delivery.attributes,
            unsubscribe_url=f"{self._context.settings.public_url}/unsubscribe/{token}",
            accepted=accepted,
        )
