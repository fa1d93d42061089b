from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
import pytest
import sqlalchemy as sa
from starlette.applications import Starlette

from channels.base import Publisher
from distributor.audience import lists, subscribers
from distributor.audience.tokens import UnsubscribeTokens
from distributor.digest import reader
from distributor.ledger import digests, sends, tables
from distributor.ledger.database import Ledger
from distributor.ledger.sends import Audience
from distributor.ledger.states import DeliveryState, SendState
from distributor.operations import remarks
from distributor.operations.roster import Roster
from distributor.settings import Settings
from distributor.templating import Templates
from distributor.web.app import create_app

SECRET = "a secret of this installation"
METRICS = "distributor_redis_up 1\n"
ROLES = ("worker:control", "worker:email", "worker:telegram", "worker:wechat", "scheduler")
AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

CHINESE = """---
title: "2026.03.02 今日新闻"
date: 2026-03-02T08:00:00+08:00
categories: ["日报", "技术"]
---

今天有**两件**大事。

---

1. [第一件事](https://www.example.com/first)

   正文第一段，含`代码`。

2. [第二件事](https://news.example.org/second?a=1&b=2)

   正文第二段。

### 点评

一切都好。
"""


class Site:
    """The application without a network, and a hand on what is in its ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        #: Who is alive: everybody, unless a test says otherwise.
        self.roster = Roster(True, {role: ["here:1"] for role in ROLES})
        self.app: Starlette = create_app(
            ledger,
            Templates(),
            Publisher("The Daily & Co", "1 Example Street"),
            SECRET,
            look=lambda: self.roster,
            remark=partial(remarks.of_send, ledger, Settings()),
            measure=lambda: METRICS,
        )

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.request("GET", path, headers=headers)

    def post(self, path: str) -> httpx.Response:
        return self.request("POST", path)

    def request(
        self, method: str, path: str, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://site") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(ask())

    def keep(self, source: str) -> str:
        """Put a digest into the ledger; returns its revision."""
        raw = source.encode()
        with self.ledger.write() as c:
            digests.store(c, reader.read(raw, "x.md"), source=raw, name="x.md", at=AT)
        return hashlib.sha256(raw).hexdigest()

    def subscribe(self, address: str, *names: str, channel: str = "email") -> int:
        with self.ledger.write() as c:
            known = {one.name for one in lists.overview(c)}
            for name in names:
                if name not in known:
                    lists.create(c, name)
            added = subscribers.add(c, channel=channel, address=address, list_names=names)
        return added.subscriber_id

    def send(
        self,
        *names: str,
        source: str = CHINESE,
        state: SendState = SendState.SENDING,
        channel: str = "email",
        targets: tuple[int, ...] = (),
    ) -> int:
        revision = self.keep(source)
        with self.ledger.write() as c:
            digest_id = c.scalars(
                sa.select(tables.digests.c.id).where(tables.digests.c.revision == revision)
            ).one()
            return sends.create(
                c,
                digest_id=digest_id,
                state=state,
                audiences=[Audience(lists.get(c, name).id, channel) for name in names],
                targets=targets,
                at=AT,
                deadline_at=AT + timedelta(days=1),
            )

    def deliver(
        self,
        send_id: int,
        state: DeliveryState,
        number: int = 1,
        *,
        channel: str = "email",
        code: str | None = None,
        reply: str | None = None,
    ) -> None:
        """Write `number` deliveries of a send and count them as intended."""
        with self.ledger.write() as c:
            rendering = c.execute(
                sa.insert(tables.renderings)
                .values(
                    account="main",
                    send_id=send_id,
                    channel=channel,
                    variant=f"{state}{code}",
                    parts=[],
                    warnings=[],
                )
                .returning(tables.renderings.c.id)
            ).scalar_one()
            for index in range(number):
                address = f"{send_id}-{state}-{code}-{index}@example.com"
                c.execute(
                    sa.insert(tables.deliveries).values(
                        send_id=send_id,
                        subscriber_id=subscribers.ensure(c, "email", address),
                        rendering_id=rendering,
                        channel=channel,
                        account="main",
                        address=address,
                        state=state,
                        code=code,
                        reply=reply,
                        updated_at=AT,
                    )
                )
            c.execute(
                sa.update(tables.sends)
                .where(tables.sends.c.id == send_id)
                .values(intended=sa.func.coalesce(tables.sends.c.intended, 0) + number)
            )


@pytest.fixture
def site(sqlite_ledger: Ledger) -> Site:
    return Site(sqlite_ledger)


@pytest.fixture
def tokens() -> UnsubscribeTokens:
    return UnsubscribeTokens(SECRET)
