from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from distributor.ledger.database import Ledger
from tests.support.service import Service, service


@pytest.fixture
def shop(tmp_path: Path, sqlite_ledger: Ledger) -> Iterator[Service]:
    """A service with one reader on email and one chat on the list `readers`."""
    with service(tmp_path, sqlite_ledger) as running:
        running.subscribe("email", "reader@example.org")
        running.subscribe("telegram", "@a_channel")
        yield running
