"""An audience, sends to it, and a worker's moves, each written down in a line of a test."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from distributor.audience import lists, subscribers
from distributor.digest.model import Digest
from distributor.ledger import (
    answers,
    batches,
    deliveries,
    digests,
    freeze,
    reachability,
    sends,
    tables,
)
from distributor.ledger import attempts as attempts_
from distributor.ledger.answers import Answer
from distributor.ledger.attempts import Attempt
from distributor.ledger.batches import Claim
from distributor.ledger.books import Books, of_send
from distributor.ledger.database import Ledger
from distributor.ledger.deliveries import Change, Pending
from distributor.ledger.freeze import FrozenRendering, Group
from distributor.ledger.routing import Route
from distributor.ledger.sends import Audience
from distributor.ledger.states import DeliveryState, SendState

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LEASE = timedelta(minutes=1)
ROUTES = (Route("", "main"),)
DEADLINE = AT + timedelta(days=1)


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def wait_until_blocked(ledger: Ledger) -> None:
    """Return once somebody waits for a lock that a transaction holds."""
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with ledger.read() as c:
            if c.execute(waiting).scalar_one():
                return
    raise TimeoutError("nobody waits for a lock")


class Scene:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def digest(self, words: str = "today") -> int:
        digest = Digest(
            revision=hashlib.sha256(words.encode()).hexdigest(),
            title="今日新闻",
            date=None,
            language="zh-CN",
            categories=(),
            intro=(),
            sections=(),
            items=(),
            commentary=(),
        )
        with self.ledger.write() as c:
            return digests.store(c, digest, source=words.encode(), name="today.md", at=AT)

    def mailing_list(self, name: str) -> int:
        with self.ledger.write() as c:
            return lists.create(c, name).id

    def subscribe(self, address: str, *list_names: str, channel: str = "email") -> int:
        with self.ledger.write() as c:
            return subscribers.add(
                c, channel=channel, address=address, list_names=list_names
            ).subscriber_id

    def suppress(self, address: str, reason: str = "address-dead") -> None:
        with self.ledger.write() as c:
            reachability.suppress(c, "email", address, reason=reason, detail="", at=AT)

    def leave(self, subscriber_id: int, list_id: int) -> None:
        left = tables.memberships.c
        with self.ledger.write() as c:
            c.execute(
                sa.update(tables.memberships)
                .where(left.subscriber_id == subscriber_id, left.list_id == list_id)
                .values(unsubscribed_at=AT, unsubscribed_by="page")
            )

    def create(
        self,
        *list_ids: int,
        digest: int | None = None,
        channel: str = "email",
        targets: Sequence[int] = (),
        state: SendState = SendState.PREPARING,
        scheduled_for: datetime | None = None,
        again: bool = False,
    ) -> int:
        digest_id = self.digest() if digest is None else digest
        with self.ledger.write() as c:
            return sends.create(
                c,
                digest_id=digest_id,
                state=state,
                audiences=[Audience(list_id, channel) for list_id in list_ids],
                targets=targets,
                at=AT,
                deadline_at=DEADLINE,
                scheduled_for=scheduled_for,
                again=again,
            )

    def freeze(self, send_id: int, *, batch_size: int = 50, channel: str = "email") -> int:
        """As the planner does, for one channel; returns how many deliveries were intended."""
        with self.ledger.write() as c:
            sends.begin(c, send_id, at=AT)
            intended = sum(
                self._freeze_group(c, send_id, group, batch_size)
                for group in freeze.groups_of(c, send_id, channel, ROUTES)
            )
            sends.set_intended(c, send_id, intended)
        return intended

    def freeze_group(self, send_id: int, group: Group, *, batch_size: int = 50) -> int:
        """As the planner does with a group that it has counted; returns how many it wrote."""
        with self.ledger.write() as c:
            return self._freeze_group(c, send_id, group, batch_size)

    @staticmethod
    def _freeze_group(c: sa.Connection, send_id: int, group: Group, batch_size: int) -> int:
        rendering = FrozenRendering([{"text": "one"}, {"text": "two"}], ["shortened"])
        return freeze.freeze_group(
            c,
            send_id,
            group,
            routes=ROUTES,
            renderings={"": rendering},
            batch_size=batch_size,
            at=AT,
        )

    def sending(self, *addresses: str, batch_size: int = 50, name: str = "daily") -> int:
        """A send to these addresses that is under way."""
        list_id = self.mailing_list(name)
        for address in addresses:
            self.subscribe(address, name)
        send_id = self.create(list_id, digest=self.digest(name))
        self.freeze(send_id, batch_size=batch_size)
        return send_id

    def set_state(self, send_id: int, state: SendState) -> None:
        with self.ledger.write() as c:
            c.execute(
                sa.update(tables.sends).where(tables.sends.c.id == send_id).values(state=state)
            )

    def send_state(self, send_id: int) -> SendState:
        with self.ledger.read() as c:
            send = sends.find(c, send_id)
        assert send is not None
        return send.state

    def batches(self, send_id: int) -> list[int]:
        query = sa.select(tables.batches.c.id).where(tables.batches.c.send_id == send_id)
        with self.ledger.read() as c:
            return list(c.scalars(query.order_by(tables.batches.c.number)))

    def batch(self, batch_id: int) -> sa.Row[Any]:
        with self.ledger.read() as c:
            return c.execute(sa.select(tables.batches).where(tables.batches.c.id == batch_id)).one()

    def deliveries(self, send_id: int) -> list[sa.Row[Any]]:
        query = sa.select(tables.deliveries).where(tables.deliveries.c.send_id == send_id)
        with self.ledger.read() as c:
            return list(c.execute(query.order_by(tables.deliveries.c.id)))

    def delivery(self, delivery_id: int) -> sa.Row[Any]:
        query = sa.select(tables.deliveries).where(tables.deliveries.c.id == delivery_id)
        with self.ledger.read() as c:
            return c.execute(query).one()

    def attempts(self, delivery_id: int) -> list[sa.Row[Any]]:
        tried = tables.attempts.c
        query = sa.select(tables.attempts).where(tried.delivery_id == delivery_id)
        with self.ledger.read() as c:
            return list(c.execute(query.order_by(tried.id)))

    def books(self, send_id: int) -> Books:
        with self.ledger.read() as c:
            return of_send(c, send_id).total

    def try_claim(
        self, batch_id: int, *, worker: str = "worker-1", at: datetime = AT
    ) -> Claim | None:
        with self.ledger.write() as c:
            return batches.claim(c, batch_id, worker=worker, at=at, lease=LEASE)

    def claim(self, batch_id: int, *, worker: str = "worker-1", at: datetime = AT) -> Claim:
        claim = self.try_claim(batch_id, worker=worker, at=at)
        assert claim is not None
        return claim

    def claim_first(self, send_id: int, *, at: datetime = AT) -> Claim:
        return self.claim(self.batches(send_id)[0], at=at)

    def release(self, claim: Claim, *, at: datetime = AT) -> datetime | None:
        with self.ledger.write() as c:
            return batches.release(c, claim, at)

    def due(self, claim: Claim, *, at: datetime = AT) -> list[Pending]:
        with self.ledger.read() as c:
            return deliveries.due(c, claim, at=at, limit=1000)

    def take(self, claim: Claim, delivery_id: int, *, at: datetime = AT) -> bool:
        with self.ledger.write() as c:
            return deliveries.take(c, claim, [delivery_id], at) == {delivery_id}

    def take_first(self, claim: Claim, *, at: datetime = AT) -> int:
        """Take the batch's next delivery; returns its id."""
        delivery_id = self.due(claim, at=at)[0].id
        assert self.take(claim, delivery_id, at=at)
        return delivery_id

    def record(
        self,
        claim: Claim,
        delivery_id: int,
        change: Change,
        *,
        outcome: DeliveryState | None = None,
        part: int = 1,
        code: str = "250",
        message_id: str | None = None,
        at: datetime = AT,
    ) -> None:
        tried = Attempt(
            delivery_id=delivery_id,
            part=part,
            number=change.attempts,
            at=at,
            outcome=outcome or change.state,
            code=code,
            reply=f"the platform says {code}",
            message_id=message_id,
            worker="worker-1",
            duration_ms=12,
        )
        with self.ledger.write() as c:
            answers.record(c, claim, [Answer(0, "nobody@example.com", tried, change)])

    def log_only(self, delivery_id: int, *, number: int, at: datetime) -> None:
        """A try in the log whose number is used again later."""
        tried = Attempt(
            delivery_id, 1, number, at, DeliveryState.RETRYING, "tg-401", "no", None, "w", 1
        )
        with self.ledger.write() as c:
            attempts_.add(c, [tried])

    def deliver(self, claim: Claim, *, at: datetime = AT) -> None:
        """Send everything that the claimed batch has to do."""
        for pending in self.due(claim, at=at):
            assert self.take(claim, pending.id, at=at)
            self.record(claim, pending.id, Change(DeliveryState.SENT, 1), at=at)
