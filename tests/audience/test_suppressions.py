from __future__ import annotations

import pytest

from distributor.audience import suppressions
from distributor.audience.errors import InvalidSubscriber
from distributor.ledger.database import Ledger


def test_a_suppression_is_found_by_any_spelling_of_the_address(ledger: Ledger) -> None:
    with ledger.write() as c:
        added = suppressions.add(c, "email", "ann@Example.COM", "address-dead", "delivery", "550")
        assert suppressions.find(c, "email", "ann@example.com") == added
        assert (added.reason, added.source, added.detail) == ("address-dead", "delivery", "550")


def test_the_first_reason_stays(ledger: Ledger) -> None:
    with ledger.write() as c:
        suppressions.add(c, "email", "ann@example.com", "complaint", "bounce")
        again = suppressions.add(c, "email", "ann@example.com", "operator", "operator")
        assert again.reason == "complaint"
        assert len(list(suppressions.all_(c))) == 1


def test_another_channel_is_not_concerned(ledger: Ledger) -> None:
    with ledger.write() as c:
        suppressions.add(c, "telegram", "123456789", "blocked", "delivery")
        assert suppressions.find(c, "wechat", "123456789") is None


def test_removing_allows_the_address_again_and_says_whether_it_stood(ledger: Ledger) -> None:
    with ledger.write() as c:
        suppressions.add(c, "email", "ann@example.com", "operator", "operator")
        assert suppressions.remove(c, "email", "ann@example.com") is True
        assert suppressions.find(c, "email", "ann@example.com") is None
        assert suppressions.remove(c, "email", "ann@example.com") is False


def test_all_come_newest_first(ledger: Ledger) -> None:
    with ledger.write() as c:
        for name in ("a", "b", "c"):
            suppressions.add(c, "email", f"{name}@example.com", "operator", "operator")
        assert [one.address[0] for one in suppressions.all_(c)] == ["c", "b", "a"]


def test_what_cannot_be_an_address_is_refused(ledger: Ledger) -> None:
    with ledger.write() as c, pytest.raises(InvalidSubscriber):
        suppressions.add(c, "email", "nobody", "operator", "operator")
