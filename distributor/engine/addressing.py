"""What is handed to a channel for one delivery: the parts of its rendering, and its recipient."""

from __future__ import annotations

from channels.base import Account, Part, Recipient
from distributor.audience.delivery_key import DeliveryKey
from distributor.engine.context import Context
from distributor.engine.together import InProgress
from distributor.ledger import attempts, deliveries
from distributor.ledger.batches import Claim
from distributor.ledger.deliveries import Pending


class Addressing:
    """For the deliveries of one claim over one account. Used by one thread."""

    def __init__(self, context: Context, claim: Claim, account: Account) -> None:
        self._context = context
        self._claim = claim
        self._account = account
        self._parts: dict[int, list[Part]] = {}

    def parts_of(self, rendering_id: int) -> list[Part]:
        """The parts of a rendering, in order; read from the ledger once."""
        if rendering_id not in self._parts:
            with self._context.ledger.read() as connection:
                stored = deliveries.payloads(connection, rendering_id)
            self._parts[rendering_id] = [
                Part(number, payload) for number, payload in enumerate(stored, start=1)
            ]
        return self._parts[rendering_id]

    def recipient(self, one: InProgress) -> Recipient:
        """Whom the next message goes to, with what makes it theirs."""
        delivery, send_id = one.delivery, self._claim.send_id
        subscriber_id = delivery.subscriber_id
        token = self._context.tokens.issue(subscriber_id, send_id)
        return Recipient(
            address=delivery.address,
            identity=DeliveryKey(subscriber_id, send_id).identity(self._claim.revision),
            name=delivery.name,
            attributes=delivery.attributes,
            unsubscribe_url=f"{self._context.settings.public_url}/unsubscribe/{token}",
            bounce_token=self._bounce_token(subscriber_id),
            accepted=one.accepted,
            previous=self._previous(delivery),
        )

    def _bounce_token(self, subscriber_id: int) -> str:
        if not self._account.wants_bounce_token:
            return ""
        return self._context.bounce_tokens.issue(subscriber_id, self._claim.send_id)

    def _previous(self, delivery: Pending) -> tuple[str, ...]:
        if not self._account.needs_previous:
            return ()
        with self._context.ledger.read() as connection:
            return attempts.previous_messages(connection, delivery.id)
