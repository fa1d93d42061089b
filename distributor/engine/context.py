"""What the engine's parts share inside one process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

from distributor.audience.tokens import BounceTokens, UnsubscribeTokens
from distributor.engine import broker, identity
from distributor.engine.connections import ConnectionPool
from distributor.engine.counters import Counters
from distributor.engine.lanes import Lanes
from distributor.engine.leases import LeaseKeeper
from distributor.engine.limits import Limiter, RedisLimiter
from distributor.engine.pace import Pace
from distributor.engine.shared import RedisStore
from distributor.ledger.database import Ledger
from distributor.ledger.hinting import DueBatch
from distributor.settings import Settings
from distributor.templating import Templates


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


class Hints(Protocol):
    """Tells workers that there is something to do. A lost hint costs time, never a delivery."""

    def prepare(self, send_ids: Sequence[int]) -> None:
        """Ask for these sends to be planned."""

    def deliver(self, due: Sequence[DueBatch]) -> None:
        """Ask for these batches to be delivered."""

    def waiting(self, channels: Collection[str]) -> Mapping[str, int]:
        """How many hints of each channel nobody has taken up; nothing where that is not known."""


@dataclass(frozen=True, slots=True)
class Context:
    """What every part of the engine needs in one process: settings, ledger, limits, connections."""

    settings: Settings
    ledger: Ledger
    templates: Templates
    tokens: UnsubscribeTokens
    bounce_tokens: BounceTokens
    connections: ConnectionPool
    leases: LeaseKeeper
    limiter: Limiter
    #: Those of this process, for the channels that it serves.
    lanes: Lanes
    #: Set when this process should hand back what it holds and end.
    stopping: threading.Event = field(default_factory=threading.Event)
    now: Callable[[], datetime] = utc_now
    worker: str = field(default_factory=identity.of_this_process)
    counters: Counters = field(default_factory=Counters)
    pace: Pace = field(default_factory=Pace)

    @property
    def journals(self) -> Path:
        """Folder on this machine's disk for the journals of its workers."""
        return self.settings.var / "journal"


def build(settings: Settings, *, channels: Collection[str] = ()) -> Context:
    """A context for this process; opens the ledger. Raises `LedgerUnavailable`.

    `channels`: whose batches it delivers.
    """
    served = [one.name for one in settings.accounts.values() if one.channel in channels]
    ledger = Ledger(settings.ledger_url).open()
    try:
        secret = settings.signing_secret()
    except BaseException:
        ledger.close()
        raise
    return Context(
        settings=settings,
        ledger=ledger,
        templates=settings.template_source(),
        tokens=UnsubscribeTokens(secret),
        bounce_tokens=BounceTokens(secret),
        connections=ConnectionPool(RedisStore(partial(broker.client, settings))),
        leases=LeaseKeeper(ledger, timedelta(seconds=settings.sending.lease_seconds), utc_now),
        limiter=RedisLimiter(partial(broker.client, settings)),
        lanes=Lanes(settings.sending.lanes, served),
    )
