from __future__ import annotations

import pytest

from distributor.audience import lists, subscribers
from distributor.audience.errors import InvalidName, ListArchived, ListExists, UnknownList
from distributor.ledger.database import Ledger


def test_a_created_list_is_found_by_its_name(ledger: Ledger) -> None:
    with ledger.write() as c:
        created = lists.create(c, "每日 AI 速递")
        assert lists.get(c, "每日 AI 速递") == created
        assert created.archived_at is None


def test_space_around_a_name_and_its_unicode_form_do_not_make_another_list(ledger: Ledger) -> None:
    with ledger.write() as c:
        created = lists.create(c, " Cafe\u0301 ")
        assert lists.get(c, "Café").id == created.id


def test_creating_a_list_twice_is_refused_and_the_transaction_goes_on(ledger: Ledger) -> None:
    with ledger.write() as c:
        lists.create(c, "daily")
        with pytest.raises(ListExists, match="there is a list 'daily' already"):
            lists.create(c, "daily")
        lists.create(c, "weekly")
    with ledger.read() as c:
        assert [one.name for one in lists.overview(c)] == ["daily", "weekly"]


@pytest.mark.parametrize("name", ["", "   ", "two\nlines", "bell\x07", "x" * 201, "\u202e"])
def test_names_that_cannot_be_read_on_one_line_are_refused(ledger: Ledger, name: str) -> None:
    with ledger.write() as c, pytest.raises(InvalidName, match="1 to 200 printable characters"):
        lists.create(c, name)


def test_an_unknown_list_is_answered_with_those_there_are(ledger: Ledger) -> None:
    with ledger.write() as c:
        lists.create(c, "daily")
        with pytest.raises(UnknownList, match="no list 'dayly'; there are: daily"):
            lists.get(c, "dayly")


def test_without_any_list_the_answer_says_how_to_create_one(ledger: Ledger) -> None:
    with ledger.read() as c, pytest.raises(UnknownList, match="distributor lists create"):
        lists.get(c, "daily")


def test_an_archived_list_stays_known_but_cannot_be_sent_to(ledger: Ledger) -> None:
    with ledger.write() as c:
        lists.create(c, "old")
        archived = lists.archive(c, "old")
        assert archived.archived_at is not None
        assert lists.get(c, "old") == archived
        with pytest.raises(ListArchived, match="'old' was archived"):
            lists.get_open(c, "old")


def test_archiving_again_keeps_the_first_date(ledger: Ledger) -> None:
    with ledger.write() as c:
        lists.create(c, "old")
        assert lists.archive(c, "old") == lists.archive(c, "old")


def test_the_overview_counts_members_by_channel_and_who_left(ledger: Ledger) -> None:
    with ledger.write() as c:
        lists.create(c, "daily")
        lists.create(c, "empty")
        for address in ("a@example.com", "b@example.com", "c@example.com"):
            subscribers.add(c, channel="email", address=address, list_names=["daily"])
        subscribers.add(c, channel="telegram", address="@daily_news", list_names=["daily"])
        subscribers.remove(c, "email", "c@example.com", ["daily"])
        daily, empty = lists.overview(c)
    assert dict(daily.members) == {"email": 2, "telegram": 1}
    assert daily.unsubscribed == 1
    assert (dict(empty.members), empty.unsubscribed) == ({}, 0)
