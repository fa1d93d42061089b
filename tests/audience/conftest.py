from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from distributor.audience import lists
from distributor.digest.model import Digest
from distributor.ledger import digests, sends
from distributor.ledger.database import Ledger
from distributor.ledger.sends import Audience
from distributor.ledger.states import SendState
from distributor.ledger.tables import deliveries, renderings


class Sends:
    """Writes sends down as the operations do, without working on them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._now = datetime.now(UTC)

    def to_lists(self, channel: str, *names: str) -> int:
        with self._ledger.write() as c:
            audiences = [Audience(lists.get(c, name).id, channel) for name in names]
        return self._create(audiences=audiences)

    def test_to(self, subscriber_id: int) -> int:
        return self._create(targets=[subscriber_id])

    def delivered(self, send_id: int, subscriber_id: int, address: str, **outcome: object) -> None:
        """Write down what became of one subscriber's delivery."""
        about = {"send_id": send_id, "channel": "email"}
        with self._ledger.write() as c:
            rendering_id = c.execute(
                sa.insert(renderings)
                .values(**about, account="main", variant="", parts=[], warnings=[])
                .returning(renderings.c.id)
            ).scalar_one()
            c.execute(
                sa.insert(deliveries).values(
                    **about,
                    **outcome,
                    subscriber_id=subscriber_id,
                    rendering_id=rendering_id,
                    account="main",
                    address=address,
                    updated_at=self._now,
                )
            )

    def _create(
        self, audiences: list[Audience] | None = None, targets: list[int] | None = None
    ) -> int:
        digest = Digest(
            revision="ab" * 32,
            title="今日新闻",
            date=None,
            language="zh-CN",
            categories=(),
            intro=(),
            sections=(),
            items=(),
            commentary=(),
        )
        with self._ledger.write() as c:
            return sends.create(
                c,
                digest_id=digests.store(c, digest, source=b"x", name="x.md", at=self._now),
                state=SendState.SENDING,
                audiences=audiences or [],
                targets=targets or [],
                at=self._now,
                deadline_at=self._now + timedelta(days=1),
                again=True,
            )


@pytest.fixture
def sends_to(ledger: Ledger) -> Sends:
    return Sends(ledger)
