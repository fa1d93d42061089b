"""An operator before a send that is under way, and what workers and platforms may answer."""

from __future__ import annotations

from datetime import datetime, timedelta

from distributor.ledger import attempts, decisions, steering
from distributor.ledger.batches import Claim
from distributor.ledger.decisions import Decision, Selection
from distributor.ledger.deliveries import Change
from distributor.ledger.states import DeliveryState, SendState
from tests.ledger.scene import Scene, later

ALL = Selection()
NOW = later(60)
RETRY = Decision(attempts.RETRY, "kim asked for another try", NOW)
ARRIVED = Decision(attempts.RESOLVED_SENT, "kim: it arrived", NOW)
FAILED = Change(DeliveryState.FAILED, 3)
UNKNOWN = Change(DeliveryState.UNKNOWN, 1)
RETRYING = Change(DeliveryState.RETRYING, 1, next_attempt_at=later(600))
FIRST_PART_SENT = Change(DeliveryState.SENDING, 1)


class Desk:
    """An operator before a send to a, b and c, of which one worker has claimed the first batch."""

    def __init__(self, scene: Scene, *, batch_size: int = 50) -> None:
        self.scene = scene
        readers = ("a@example.com", "b@example.com", "c@example.com")
        self.send_id = scene.sending(*readers, batch_size=batch_size)
        self.claim: Claim = scene.claim_first(self.send_id)

    def end_next(
        self, change: Change, *, outcome: DeliveryState | None = None, code: str = "451"
    ) -> int:
        """The worker sends a message and hears this."""
        delivery_id = self.scene.take_first(self.claim)
        self.scene.record(self.claim, delivery_id, change, outcome=outcome, code=code)
        return delivery_id

    def begin_next(self) -> int:
        """The worker's next message is on its way."""
        return self.scene.take_first(self.claim)

    def pause(self) -> bool:
        with self.scene.ledger.write() as c:
            return steering.pause(c, self.send_id)

    def resume(self) -> bool:
        with self.scene.ledger.write() as c:
            return steering.resume(c, self.send_id, NOW)

    def cancel(self) -> bool:
        with self.scene.ledger.write() as c:
            return steering.cancel(c, self.send_id, NOW)

    def end_canceled(self) -> int:
        with self.scene.ledger.write() as c:
            return steering.end_canceled(c, self.send_id, NOW).number

    def retry(self, selection: Selection = ALL) -> int:
        with self.scene.ledger.write() as c:
            return decisions.requeue(c, self.send_id, DeliveryState.FAILED, selection, RETRY)

    def suppressed(self) -> int:
        with self.scene.ledger.read() as c:
            return decisions.count_suppressed(c, self.send_id, DeliveryState.FAILED, ALL)

    def resolve_as_sent(self, selection: Selection = ALL) -> tuple[int, int]:
        with self.scene.ledger.write() as c:
            send = steering.lock(c, self.send_id)
            assert send is not None
            return decisions.resolve_as_sent(c, send, selection, ARRIVED)

    def reopen(self, deadline_at: datetime = NOW + timedelta(days=9)) -> None:
        with self.scene.ledger.write() as c:
            steering.reopen(c, self.send_id, deadline_at=deadline_at, at=NOW)

    @property
    def state(self) -> SendState:
        return self.scene.send_state(self.send_id)

    def states(self) -> list[DeliveryState]:
        return [row.state for row in self.scene.deliveries(self.send_id)]

    def somebody_waits(self) -> bool:
        """Whether a transaction waits for a lock of another one; on PostgreSQL."""
        with self.scene.ledger.read() as c:
            query = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
            return bool(c.exec_driver_sql(query).scalar())
