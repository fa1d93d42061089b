from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from distributor.audience import lists, subscribers, unsubscribe
from distributor.audience.delivery_key import DeliveryKey
from distributor.audience.errors import InvalidToken
from distributor.audience.memberships import LeftBy
from distributor.audience.unsubscribe import Unsubscribed
from distributor.ledger import tables
from distributor.ledger.database import Ledger
from tests.audience.conftest import Sends

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def ann(ledger: Ledger) -> int:
    """A subscriber on two lists; there is a third list that she is not on."""
    with ledger.write() as c:
        for name in ("daily", "weekly", "others"):
            lists.create(c, name)
        return subscribers.add(
            c, channel="email", address="ann@example.com", list_names=["daily", "weekly"]
        ).subscriber_id


def leave(ledger: Ledger, claim: DeliveryKey) -> Unsubscribed:
    with ledger.write() as c:
        return unsubscribe.unsubscribe(c, claim, LeftBy.ONE_CLICK, AT)


def test_it_leaves_the_lists_of_the_send_and_no_other(
    ledger: Ledger, sends_to: Sends, ann: int
) -> None:
    claim = DeliveryKey(ann, sends_to.to_lists("email", "daily", "others"))
    assert leave(ledger, claim) == Unsubscribed(("daily",), already=False)
    with ledger.read() as c:
        daily, weekly = subscribers.show(c, "ann@example.com").memberships
    assert (daily.unsubscribed_at, daily.unsubscribed_by) == (AT, "one-click")
    assert weekly.unsubscribed_at is None


def test_leaving_twice_says_so_and_keeps_how_it_was_left_first(
    ledger: Ledger, sends_to: Sends, ann: int
) -> None:
    claim = DeliveryKey(ann, sends_to.to_lists("email", "daily"))
    leave(ledger, claim)
    with ledger.write() as c:
        again = unsubscribe.unsubscribe(c, claim, LeftBy.PAGE, datetime.now(UTC))
        (daily, _) = subscribers.show(c, "ann@example.com").memberships
    assert again == Unsubscribed(("daily",), already=True)
    assert (daily.unsubscribed_at, daily.unsubscribed_by) == (AT, "one-click")


def test_a_send_to_the_list_on_another_channel_is_not_left(
    ledger: Ledger, sends_to: Sends, ann: int
) -> None:
    claim = DeliveryKey(ann, sends_to.to_lists("telegram", "daily"))
    assert leave(ledger, claim) == Unsubscribed((), already=False)


def test_a_test_send_leaves_nothing(ledger: Ledger, sends_to: Sends, ann: int) -> None:
    claim = DeliveryKey(ann, sends_to.test_to(ann))
    assert leave(ledger, claim) == Unsubscribed((), already=False)
    with ledger.read() as c:
        memberships = subscribers.show(c, "ann@example.com").memberships
    assert [one.unsubscribed_at for one in memberships] == [None, None]


def test_a_link_from_before_addresses_were_in_lower_case_takes_the_reader_off(
    ledger: Ledger, sends_to: Sends, ann: int
) -> None:
    with ledger.write() as c:
        row = {"channel": "email", "address": "Ann@Example.com", "attributes": {}, "created_at": AT}
        in_capitals = c.execute(
            sa.insert(tables.subscribers).values(row).returning(tables.subscribers.c.id)
        ).scalar_one()
    claim = DeliveryKey(in_capitals, sends_to.to_lists("email", "daily"))
    with ledger.read() as c:
        assert unsubscribe.look_up(c, claim).on == ("daily",)
    assert leave(ledger, claim) == Unsubscribed(("daily",), already=False)
    with ledger.read() as c:
        daily, _ = subscribers.show(c, "ann@example.com").memberships
    assert (daily.unsubscribed_at, daily.unsubscribed_by) == (AT, "one-click")


def test_looking_up_changes_nothing_and_tells_what_would_be_left(
    ledger: Ledger, sends_to: Sends, ann: int
) -> None:
    claim = DeliveryKey(ann, sends_to.to_lists("email", "daily", "weekly"))
    with ledger.read() as c:
        before = unsubscribe.look_up(c, claim)
        assert unsubscribe.look_up(c, claim) == before
    assert (before.on, before.left) == (("daily", "weekly"), ())
    assert (before.address, before.language) == ("ann@example.com", "zh-CN")


def test_a_subscriber_or_send_that_is_gone_makes_the_link_invalid(
    ledger: Ledger, sends_to: Sends, ann: int
) -> None:
    send = sends_to.to_lists("email", "daily")
    for claim in (DeliveryKey(ann + 1, send), DeliveryKey(ann, send + 1)):
        with pytest.raises(InvalidToken):
            leave(ledger, claim)
