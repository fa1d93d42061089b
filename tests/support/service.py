"""The service in one process: real settings, platforms and ledger, and a clock that tests set.

Nothing runs by itself here: a test starts, plans, delivers and sweeps in its own order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from channels.base import RateLimit
from distributor import settings as configuration
from distributor.audience import lists, subscribers, suppressions
from distributor.audience.tokens import BounceTokens, UnsubscribeTokens
from distributor.engine import courier, planner, sweeper
from distributor.engine.connections import ConnectionPool
from distributor.engine.context import Context
from distributor.engine.lanes import Lanes
from distributor.engine.leases import LeaseKeeper
from distributor.engine.limits import Room
from distributor.ledger import books, log, sends, tables
from distributor.ledger.books import Books
from distributor.ledger.database import Ledger
from distributor.ledger.hinting import DueBatch
from distributor.ledger.log import Entry
from distributor.ledger.sends import Send
from distributor.ledger.states import DeliveryState, SendState
from distributor.operations import sending
from distributor.operations.send_request import SendRequest, Started
from distributor.settings import Settings
from distributor.templating import shipped
from tests.support.platforms import Platforms, platforms

_LIST = "readers"


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self._at = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self._at

    def advance(self, **how_far: float) -> None:
        """By `seconds`, `minutes` or `hours`."""
        self._at += timedelta(**how_far)

    def advance_to(self, moment: datetime) -> None:
        self._at = moment


@dataclass(slots=True)
class RememberedHints:
    """Hints that nobody acts on."""

    prepared: list[int] = field(default_factory=list)
    due: list[DueBatch] = field(default_factory=list)
    #: By channel, how many are said to wait in its queue.
    queued: dict[str, int] = field(default_factory=dict)

    def prepare(self, send_ids: Sequence[int]) -> None:
        self.prepared += send_ids

    def deliver(self, due: Sequence[DueBatch]) -> None:
        self.due += due

    def waiting(self, channels: Collection[str]) -> Mapping[str, int]:
        return {channel: self.queued[channel] for channel in channels if channel in self.queued}


class NoLimits:
    """A limiter that always has room, for tests that have no Redis."""

    def reserve(self, limits: Sequence[RateLimit], patience: float) -> Room:  # noqa: ARG002
        return Room(0)

    def close(self, limit: RateLimit, seconds: float) -> None:
        pass


class Meanwhile(NoLimits):
    """Lets something happen elsewhere right before message number `number` leaves."""

    def __init__(self, number: int, happens: Callable[[], object]) -> None:
        self._left = number
        self._happens = happens

    def reserve(self, limits: Sequence[RateLimit], patience: float) -> Room:
        self._left -= 1
        if self._left == 0:
            self._happens()
        return super().reserve(limits, patience)


class Service:
    """One process of the service and the hands that steer it."""

    def __init__(
        self,
        context: Context,
        clock: Clock,
        at_platforms: Platforms,
        folder: Path,
        environment: Mapping[str, str],
    ) -> None:
        self.context = context
        #: What a process is started with that is to have the same settings.
        self.environment = environment
        self.clock = clock
        self.platforms = at_platforms
        self.hints = RememberedHints()
        self._folder = folder

    @property
    def settings(self) -> Settings:
        return self.context.settings

    @property
    def ledger(self) -> Ledger:
        return self.context.ledger

    def another_process(self, **changes: Any) -> Service:
        """The same service as another process sees it; `changes` are fields of its context."""
        changes = {"connections": ConnectionPool(), "worker": "elsewhere/0/1/1", **changes}
        context = replace(self.context, **changes)
        return Service(context, self.clock, self.platforms, self._folder, self.environment)

    def subscribe(self, channel: str, *addresses: str, to: str = _LIST) -> None:
        """Put `addresses` on a list, which is created when there is none of that name."""
        with self.ledger.write() as connection:
            if to not in {one.name for one in lists.overview(connection)}:
                lists.create(connection, to)
            for address in addresses:
                subscribers.add(connection, channel=channel, address=address, list_names=[to])

    def unsubscribe(self, address: str, channel: str = "email", list_name: str = _LIST) -> None:
        with self.ledger.write() as connection:
            subscribers.remove(connection, channel=channel, address=address, list_names=[list_name])

    def suppress(self, address: str, channel: str = "email") -> None:
        with self.ledger.write() as connection:
            suppressions.add(connection, channel, address, "complaint", "operator")

    def is_suppressed(self, address: str, channel: str = "email") -> bool:
        with self.ledger.read() as connection:
            return suppressions.find(connection, channel, address) is not None

    def write_edition(self, source: str | None = None) -> Path:
        path = self._folder / "edition.md"
        path.write_text(source or edition(), encoding="utf-8")
        return path

    def start(self, source: str | None = None, to: str = _LIST, **options: Any) -> int:
        """Start a send of `source`, a small edition when left out; returns its id."""
        return self.start_request(path=self.write_edition(source), lists=[to], **options)

    def start_request(self, **fields: Any) -> int:
        started = sending.start(self.context, self.hints, SendRequest(**fields))
        assert isinstance(started, Started)
        return started.send_id

    def plan(self, send_id: int) -> bool:
        return planner.prepare(self.context, send_id)

    def start_and_plan(self, source: str | None = None, to: str = _LIST, **options: Any) -> int:
        send_id = self.start(source, to, **options)
        assert self.plan(send_id)
        return send_id

    def deliver(self, send_id: int) -> None:
        """Work once on every batch of the send, as one worker would."""
        for batch in self.batches(send_id):
            self.deliver_batch(batch.id)

    def deliver_batch(self, batch_id: int) -> None:
        """Work once on this batch, as one worker would."""
        courier.deliver_batch(self.context, batch_id)

    def sweep(self) -> None:
        sweeper.sweep(self.context, self.hints)

    def move(self, send_id: int, state: SendState) -> None:
        """Put a send into `state`, as an operator may."""
        with self.ledger.write() as connection:
            connection.execute(
                sa.update(tables.sends).where(tables.sends.c.id == send_id).values(state=state)
            )

    @contextmanager
    def under_way(self, send_id: int) -> Iterator[None]:
        """In this block the answers of the send's sent deliveries are not written down yet."""
        told = ("state", "message_id", "code", "reply")
        rows = self.deliveries(send_id).values()
        unanswered = dict.fromkeys(told) | {"state": DeliveryState.SENDING}
        try:
            self._rewrite({row["id"]: unanswered for row in rows})
            yield
        finally:
            self._rewrite({row["id"]: {name: row[name] for name in told} for row in rows})

    def _rewrite(self, deliveries: Mapping[int, Mapping[str, Any]]) -> None:
        table = tables.deliveries
        with self.ledger.write() as connection:
            for delivery_id, values in deliveries.items():
                connection.execute(
                    sa.update(table).where(table.c.id == delivery_id).values(**values)
                )

    def send(self, send_id: int) -> Send:
        with self.ledger.read() as connection:
            found = sends.find(connection, send_id)
        assert found is not None
        return found

    def books(self, send_id: int) -> Books:
        with self.ledger.read() as connection:
            return books.of_send(connection, send_id).total

    def counts(self, send_id: int) -> Mapping[str, int]:
        """Deliveries by the word of their state; states without any are left out."""
        counted = self.books(send_id)
        assert counted.balanced
        return {state.value: counted[state] for state in DeliveryState if counted[state]}

    def deliveries(self, send_id: int) -> Mapping[str, sa.RowMapping]:
        """Rows of the ledger by address."""
        table = tables.deliveries
        with self.ledger.read() as connection:
            query = sa.select(table).where(table.c.send_id == send_id).order_by(table.c.id)
            return {row["address"]: row for row in connection.execute(query).mappings()}

    def delivery(self, send_id: int) -> sa.RowMapping:
        """The send's only delivery."""
        (row,) = self.deliveries(send_id).values()
        return row

    def batches(self, send_id: int) -> Sequence[sa.Row[Any]]:
        table = tables.batches
        with self.ledger.read() as connection:
            query = sa.select(table).where(table.c.send_id == send_id).order_by(table.c.id)
            return connection.execute(query).all()

    def log(self, send_id: int) -> list[Entry]:
        with self.ledger.read() as connection:
            return list(log.entries(connection, send_id))

    def copies(self, platform: str) -> Counter[str]:
        """How many messages each address has received."""
        return Counter(str(message["address"]) for message in self.platforms.received(platform))


def edition(*, items: int = 2, words: int = 20) -> str:
    """A publishable edition; a Telegram post takes about 4000 characters of it at a time."""
    stories = "\n".join(
        f"{number}. [第 {number} 件事](https://www.sqlite.org/{number})\n\n   {'要闻' * words}。\n"
        for number in range(1, items + 1)
    )
    return f'---\ntitle: "2026.03.02 今日新闻"\ndate: 2026-03-02T08:00:00+08:00\n---\n\n{stories}'


@contextmanager
def service(folder: Path, ledger: Ledger, **environment: str) -> Iterator[Service]:
    """A service over `ledger` that keeps its files in `folder`.

    `environment`: settings beyond those that lead to the platforms, such as
    `DISTRIBUTOR_SENDING_BATCH_SIZE="2"`.
    """
    with platforms(folder / "platforms") as at_platforms:
        environment = {
            **at_platforms.environment,
            "DISTRIBUTOR_CONFIG": str(shipped("config") / "distributor.toml"),
            "DISTRIBUTOR_STORAGE_VAR": str(folder / "var"),
            "DISTRIBUTOR_DATABASE_URL": ledger.engine.url.render_as_string(hide_password=False),
            **environment,
        }
        settings = configuration.load(environ=environment)
        clock = Clock()
        context = Context(
            settings=settings,
            ledger=ledger,
            templates=settings.template_source(),
            tokens=UnsubscribeTokens(settings.signing_secret()),
            bounce_tokens=BounceTokens(settings.signing_secret()),
            connections=ConnectionPool(),
            limiter=NoLimits(),
            leases=LeaseKeeper(ledger, timedelta(seconds=settings.sending.lease_seconds), clock),
            lanes=Lanes(settings.sending.lanes, settings.accounts),
            now=clock,
        )
        try:
            yield Service(context, clock, at_platforms, folder, environment)
        finally:
            context.connections.close()
