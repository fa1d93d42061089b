from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from distributor.ledger.database import Ledger
from tests.support.service import Service, service


@pytest.fixture
def shop(tmp_path: Path, sqlite_ledger: Ledger) -> Iterator[Service]:
    with service(tmp_path, sqlite_ledger) as running:
        yield running


@pytest.fixture
def shop_on_each(tmp_path: Path, ledger: Ledger) -> Iterator[Service]:
    """Its tests run on both databases."""
    with service(tmp_path, ledger) as running:
        yield running
