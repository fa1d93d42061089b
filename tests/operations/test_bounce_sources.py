"""A Maildir is read again and again, and each message in it is told of once."""

from __future__ import annotations

from pathlib import Path

import pytest

from distributor.operations import bounce_sources
from distributor.operations.bounces import Taken
from tests.channels.email.returned import LETTER, OUT_OF_OFFICE, dsn
from tests.support.service import Service


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "mail" / name).mkdir(parents=True)
    for name, octets in {"1": dsn(), "2": OUT_OF_OFFICE, "3": LETTER}.items():
        (tmp_path / "mail" / "new" / name).write_bytes(octets)
    return tmp_path / "mail"


def fetch(shop: Service, folder: Path) -> list[str]:
    told: list[Taken] = []
    fetched = bounce_sources.fetch_maildir(shop.context, folder, told.append)
    assert (fetched.new, fetched.left) == (len(told), 0)
    return [taken.report.kind.value for taken in told]


def test_each_message_is_told_of_once(shop: Service, folder: Path) -> None:
    assert fetch(shop, folder) == ["bounce", "auto-reply", "other"]
    assert fetch(shop, folder) == []


def test_only_letters_stay_unread(shop: Service, folder: Path) -> None:
    fetch(shop, folder)

    assert [path.name for path in (folder / "new").iterdir()] == ["3"]
