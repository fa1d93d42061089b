from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from distributor.engine import answer_book
from distributor.engine.lanes import Lanes
from distributor.engine.limits import Limiter
from distributor.ledger.database import Ledger
from tests.support.service import NoLimits, Service, service


def elsewhere(shop: Service, limiter: Limiter | None = None, **changes: Any) -> Service:
    """Another process, with lanes of its own; `changes` are fields of its context."""
    return shop.another_process(
        **changes,
        limiter=limiter or NoLimits(),
        lanes=Lanes(shop.settings.sending.lanes, shop.settings.accounts),
        connections=shop.context.connections,  # closed with the shop
    )


@pytest.fixture
def always_in_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger is asked before every message, and not only when half a second has passed."""
    monkeypatch.setattr(answer_book, "_SYNC_SECONDS", 0)


@pytest.fixture
def shop(tmp_path: Path, sqlite_ledger: Ledger) -> Iterator[Service]:
    with service(tmp_path, sqlite_ledger) as running:
        yield running


@pytest.fixture
def shop_on_each(tmp_path: Path, ledger: Ledger) -> Iterator[Service]:
    """Its tests run on both databases."""
    with service(tmp_path, ledger) as running:
        yield running
