"""Statements about many rows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from distributor.ledger import bulk
from distributor.ledger.database import Ledger
from distributor.ledger.tables import lists
from tests.ledger.scene import AT

NAMES = ["daily", "o'clock", 'with "quotes"', "每日", "back\\slash", "{braces}", "a,b", "NULL"]


@pytest.fixture
def ledger_with_lists(ledger: Ledger) -> Ledger:
    with ledger.write() as c:
        bulk.insert(c, lists, [{"name": name, "created_at": AT} for name in NAMES])
    return ledger


def names_among(ledger: Ledger, names: list[str]) -> set[str]:
    with ledger.read() as c:
        return set(c.scalars(sa.select(lists.c.name).where(bulk.among(c, lists.c.name, names))))


@pytest.mark.parametrize("name", NAMES)
def test_one_text_among_many(ledger_with_lists: Ledger, name: str) -> None:
    assert names_among(ledger_with_lists, ["not there", name]) == {name}


def test_all_that_are_there(ledger_with_lists: Ledger) -> None:
    assert names_among(ledger_with_lists, NAMES) == set(NAMES)


def test_none_among_nothing(ledger_with_lists: Ledger) -> None:
    assert names_among(ledger_with_lists, []) == set()


def test_numbers(ledger_with_lists: Ledger) -> None:
    with ledger_with_lists.read() as c:
        found = c.scalars(sa.select(lists.c.id).where(bulk.among(c, lists.c.id, {1, 3, 99})))
        assert set(found) == {1, 3}
