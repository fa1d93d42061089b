from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from channels.telegram.account import TelegramAccount
from distributor.ledger.database import Ledger
from tests.support.service import Service, service

OPERATOR = 900


@pytest.fixture
def shop(tmp_path: Path, sqlite_ledger: Ledger) -> Iterator[Service]:
    """A service whose bot has two open lists and one operator."""
    bot = {
        "DISTRIBUTOR_ACCOUNTS_BOT_OPEN_LISTS": "daily, weekly, not there yet",
        "DISTRIBUTOR_ACCOUNTS_BOT_OPERATORS": str(OPERATOR),
    }
    with service(tmp_path, sqlite_ledger, **bot) as running:
        running.subscribe("telegram", "@a_channel", to="daily")
        running.subscribe("telegram", "@a_channel", to="weekly")
        yield running


@pytest.fixture
def account(shop: Service) -> TelegramAccount:
    found = shop.settings.accounts["bot"]
    assert isinstance(found, TelegramAccount)
    return found
