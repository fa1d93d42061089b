"""One delivery's messages corrected, part by part, within the shared rate limits."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from enum import StrEnum

from channels import registry
from channels.base import Account, Connection, Fault, Outcome, Part, Recipient, Verdict
from channels.optional import AmendingConnection
from distributor.engine.context import Context
from distributor.ledger import amendments
from distributor.ledger.amendments import Delivered, SentRendering
from distributor.ledger.attempts import OPERATOR, Attempt
from distributor.ledger.freeze import FrozenRendering
from distributor.ledger.states import DeliveryState
from distributor.operations.errors import OperationError

#: Tries at one message.
_TRIES = 4
_WITHOUT_ID = Outcome(
    Verdict.FAILED,
    "no-message-id",
    "somebody said that it arrived, and the platform never told its message id",
    fault=Fault.RECIPIENT,
)
#: Between two tries, in seconds, when the platform names no time.
_PAUSE_SECONDS = 2.0
#: The longest wait before a full bucket is asked again, in seconds.
_PATIENCE_SECONDS = 1.0


class Result(StrEnum):
    """What became of one message."""

    AMENDED = "amended"
    #: It said so already.
    UNCHANGED = "unchanged"
    ADDED = "added"
    WITHDRAWN = "withdrawn"
    #: The platform refused; the log has its words.
    FAILED = "failed"


class Correction:
    """Brings deliveries of a rendering from their old parts to the wanted ones."""

    def __init__(
        self,
        context: Context,
        account: Account,
        sent: SentRendering,
        wanted: FrozenRendering,
        *,
        words: str,
    ) -> None:
        """`words` say in the log who corrects, and to which revision."""
        self._context = context
        self._account = account
        self._channel = registry.get(account.channel)
        self._words = words
        self._parts = [Part(n, payload) for n, payload in enumerate(wanted.parts, start=1)]
        stale = {part.number for part in self._parts if not _says(sent, part)}
        # Repeated, a correction looks at every message.
        self._stale = stale or {part.number for part in self._parts}

    def carry_out(self, delivery: Delivered) -> Counter[Result]:
        """Change what differs, withdraw what is too much, and add what is missing at the end."""
        results: Counter[Result] = Counter()
        with self._context.connections.lend(self._account) as connection:
            assert isinstance(connection, AmendingConnection)  # noqa: S101 - or it would not be planned
            for number, message_id in delivery.messages.items():
                results[self._correct(connection, delivery, number, message_id)] += 1
            is_short = len(delivery.messages) < len(self._parts)
            if is_short and delivery.state is DeliveryState.SENT:
                self._complete(connection, delivery, results)
        return results

    def _correct(
        self,
        connection: AmendingConnection,
        delivery: Delivered,
        number: int,
        message_id: str | None,
    ) -> Result:
        recipient = _recipient(delivery)
        is_surplus = number > len(self._parts)
        if not is_surplus and number not in self._stale:
            return Result.UNCHANGED

        def change() -> Outcome:
            if message_id is None:
                return _WITHOUT_ID
            if is_surplus:
                return connection.withdraw(recipient, message_id)
            return connection.amend(self._parts[number - 1], recipient, message_id)

        tried = self._try(delivery, number, change, may_repeat=True)
        is_done = tried.outcome is DeliveryState.SENT
        with self._context.ledger.write() as ledger:
            amendments.record(ledger, tried, is_withdrawn=is_done and is_surplus)
        if not is_done:
            return Result.FAILED
        if tried.code == Result.UNCHANGED.value:
            return Result.UNCHANGED
        return Result.WITHDRAWN if is_surplus else Result.AMENDED

    def _complete(
        self, connection: AmendingConnection, delivery: Delivered, results: Counter[Result]
    ) -> None:
        """Add what is missing, unless they have left since."""
        if not delivery.has_left:
            self._add_missing(connection, delivery, results)
            return
        words = f"{self._words}: they had left before, and got no further part"
        with self._context.ledger.write() as ledger:
            amendments.end_incomplete(ledger, delivery.id, words, self._context.now())

    def _add_missing(
        self, connection: AmendingConnection, delivery: Delivered, results: Counter[Result]
    ) -> None:
        assert isinstance(connection, Connection)  # noqa: S101
        accepted = [message_id for message_id in delivery.messages.values() if message_id]
        for part in self._parts[len(delivery.messages) :]:
            recipient = _recipient(delivery, tuple(accepted))

            def add(part: Part = part, recipient: Recipient = recipient) -> Outcome:
                return connection.deliver(part, recipient)

            tried = self._try(delivery, part.number, add, may_repeat=False)
            with self._context.ledger.write() as ledger:
                amendments.record_added(ledger, tried)
            if tried.outcome is not DeliveryState.SENT:
                results[Result.FAILED] += 1
                return
            results[Result.ADDED] += 1
            accepted += [tried.message_id] if tried.message_id else []

    def _try(
        self, delivery: Delivered, number: int, call: Callable[[], Outcome], *, may_repeat: bool
    ) -> Attempt:
        """Call until there is an answer to stay with. A new message is never sent again blindly."""
        began = time.monotonic()
        for attempt in range(1, _TRIES + 1):
            self._find_room(delivery)
            outcome = call()
            self._check_account(outcome)
            may_help = outcome.verdict is Verdict.RETRYING or (
                outcome.verdict is Verdict.UNKNOWN and may_repeat
            )
            if not may_help or attempt == _TRIES:
                break
            self._wait(delivery, outcome)
        is_open = outcome.verdict is Verdict.RETRYING
        return Attempt(
            delivery_id=delivery.id,
            part=number,
            number=attempt,
            at=self._context.now(),
            outcome=DeliveryState.FAILED if is_open else DeliveryState(outcome.verdict.value),
            code=outcome.code,
            reply=f"{self._words}: {outcome.reply}"[:500],
            message_id=outcome.message_id,
            worker=OPERATOR,
            duration_ms=round((time.monotonic() - began) * 1000),
        )

    def _find_room(self, delivery: Delivered) -> None:
        limits = self._channel.rate_limits(self._account, delivery.address)
        while True:
            room = self._context.limiter.reserve(limits, _PATIENCE_SECONDS)
            self._context.stopping.wait(min(room.wait, _PATIENCE_SECONDS))
            if room.full is None:
                return

    def _wait(self, delivery: Delivered, outcome: Outcome) -> None:
        if outcome.retry_after and outcome.fault is Fault.PROVIDER:
            for limit in self._channel.rate_limits(self._account, delivery.address):
                if limit.obeys_retry_after:
                    self._context.limiter.close(limit, outcome.retry_after)
        wait = _PAUSE_SECONDS if outcome.retry_after is None else outcome.retry_after
        self._context.stopping.wait(wait)

    def _check_account(self, outcome: Outcome) -> None:
        if outcome.fault is Fault.ACCOUNT:
            raise OperationError(
                f"account {self._account.name!r} cannot change anything: {outcome.reply}; fix "
                "that and run the command again: it continues where it stopped"
            )


def _says(sent: SentRendering, part: Part) -> bool:
    return part.number <= len(sent.parts) and sent.parts[part.number - 1] == part.payload


def _recipient(delivery: Delivered, accepted: tuple[str, ...] = ()) -> Recipient:
    return Recipient(
        address=delivery.address,
        identity=f"amended-{delivery.id}",
        name=delivery.name,
        attributes=delivery.attributes,
        accepted=accepted,
    )
