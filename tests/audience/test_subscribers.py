from __future__ import annotations

import pytest

from distributor.audience import lists, subscribers, suppressions
from distributor.audience.errors import (
    AmbiguousAddress,
    InvalidSubscriber,
    ListArchived,
    UnknownList,
    UnknownSubscriber,
)
from distributor.ledger.database import Ledger
from distributor.ledger.states import DeliveryState
from tests.audience.conftest import Sends

ROBOT_KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"


@pytest.fixture(autouse=True)
def _two_lists(ledger: Ledger) -> None:
    with ledger.write() as c:
        lists.create(c, "daily")
        lists.create(c, "weekly")


def test_adding_creates_the_subscriber_and_joins_the_lists(ledger: Ledger) -> None:
    with ledger.write() as c:
        added = subscribers.add(
            c, channel="email", address="ann@example.com", list_names=["daily", "weekly"]
        )
        assert added.created
        assert added.joined == ("daily", "weekly")
        assert added.already == added.left_before == ()


def test_two_spellings_of_an_address_are_one_subscriber(ledger: Ledger) -> None:
    with ledger.write() as c:
        first = subscribers.add(c, channel="email", address="ann@example.com", list_names=[])
        second = subscribers.add(c, channel="email", address=" ann@EXAMPLE.com ", list_names=[])
        assert second.subscriber_id == first.subscriber_id
        assert (second.created, second.address) == (False, "ann@example.com")


def test_the_same_words_on_two_channels_are_two_subscribers(ledger: Ledger) -> None:
    with ledger.write() as c:
        first = subscribers.ensure(c, "telegram", "123456789")
        second = subscribers.ensure(c, "wechat", "123456789")
        assert first != second


def test_adding_again_joins_what_is_new_and_says_what_was_there(ledger: Ledger) -> None:
    with ledger.write() as c:
        subscribers.add(c, channel="email", address="ann@example.com", list_names=["daily"])
        again = subscribers.add(
            c, channel="email", address="ann@example.com", list_names=["daily", "weekly"]
        )
        assert (again.already, again.joined) == (("daily",), ("weekly",))


def test_who_left_a_list_is_not_brought_back_unasked(ledger: Ledger) -> None:
    with ledger.write() as c:
        subscribers.add(c, channel="email", address="ann@example.com", list_names=["daily"])
        subscribers.remove(c, "email", "ann@example.com", ["daily"])
        added = subscribers.add(c, channel="email", address="ann@example.com", list_names=["daily"])
        assert (added.joined, added.left_before) == ((), ("daily",))
        assert subscribers.show(c, "ann@example.com").memberships[0].unsubscribed_at is not None


def test_who_left_comes_back_when_that_is_said(ledger: Ledger) -> None:
    with ledger.write() as c:
        subscribers.add(c, channel="email", address="ann@example.com", list_names=["daily"])
        subscribers.remove(c, "email", "ann@example.com")
        added = subscribers.add(
            c,
            channel="email",
            address="ann@example.com",
            list_names=["daily"],
            resubscribe=True,
        )
        (membership,) = subscribers.show(c, "ann@example.com").memberships
    assert added.joined == ("daily",)
    assert (membership.unsubscribed_at, membership.unsubscribed_by) == (None, None)


def test_adding_again_fills_in_what_is_given_and_keeps_the_rest(ledger: Ledger) -> None:
    with ledger.write() as c:
        subscribers.add(
            c,
            channel="email",
            address="ann@example.com",
            list_names=[],
            name="Ann",
            language="en",
            attributes={"city": "Oslo"},
        )
        subscribers.add(
            c,
            channel="email",
            address="ann@example.com",
            list_names=[],
            language="nb",
            attributes={"team": "red"},
        )
        shown = subscribers.show(c, "ann@example.com")
    assert (shown.name, shown.language) == ("Ann", "nb")
    assert dict(shown.attributes) == {"city": "Oslo", "team": "red"}


def test_adding_a_suppressed_address_says_that_nothing_will_be_sent(ledger: Ledger) -> None:
    with ledger.write() as c:
        suppressions.add(c, "email", "ann@example.com", "complaint", "bounce")
        added = subscribers.add(c, channel="email", address="ann@example.com", list_names=["daily"])
        assert added.suppression is not None
        assert added.suppression.reason == "complaint"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"channel": "pigeon"}, "no channel 'pigeon'; use one of: dingtalk, email"),
        ({"address": "not an address"}, "not an email address"),
        ({"name": "Ann\r\nBcc: all@example.com"}, "'name' holds a line break"),
        ({"language": "<b>"}, "not a language tag"),
        ({"attributes": {"address": "x"}}, "'address' cannot name an attribute"),
        ({"attributes": {"city": "x" * 2001}}, "2000 is the limit"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_reason(
    ledger: Ledger, change: dict[str, object], words: str
) -> None:
    given = {"channel": "email", "address": "ann@example.com", "list_names": ["daily"], **change}
    with ledger.write() as c, pytest.raises(InvalidSubscriber, match=words):
        subscribers.add(c, **given)  # type: ignore[arg-type]


def test_nobody_is_added_when_a_list_is_unknown_or_archived(ledger: Ledger) -> None:
    with ledger.write() as c:
        lists.archive(c, "weekly")
        with pytest.raises(UnknownList):
            subscribers.add(c, channel="email", address="a@example.com", list_names=["dayly"])
        with pytest.raises(ListArchived):
            subscribers.add(c, channel="email", address="a@example.com", list_names=["weekly"])
        with pytest.raises(UnknownSubscriber):
            subscribers.show(c, "a@example.com")


def test_removing_leaves_the_named_lists_only(ledger: Ledger) -> None:
    with ledger.write() as c:
        subscribers.add(
            c, channel="email", address="ann@example.com", list_names=["daily", "weekly"]
        )
        assert subscribers.remove(c, "email", "ann@example.com", ["weekly"]) == ("weekly",)
        assert subscribers.remove(c, "email", "ann@example.com") == ("daily",)
        assert subscribers.remove(c, "email", "ann@example.com") == ()


def test_removing_somebody_unknown_hides_an_address_that_is_a_secret(ledger: Ledger) -> None:
    with ledger.write() as c, pytest.raises(UnknownSubscriber) as refused:
        subscribers.remove(c, "wechat", ROBOT_KEY)
    assert ROBOT_KEY not in str(refused.value)


def test_ensure_gives_the_same_subscriber_each_time_and_joins_nothing(ledger: Ledger) -> None:
    with ledger.write() as c:
        first = subscribers.ensure(c, "email", "test@example.com")
        assert subscribers.ensure(c, "email", "test@example.com") == first
        assert subscribers.show(c, "test@example.com").memberships == ()


def test_show_asks_which_channel_when_several_know_the_address(ledger: Ledger) -> None:
    with ledger.write() as c:
        subscribers.ensure(c, "telegram", "123456789")
        subscribers.ensure(c, "wechat", "123456789")
        with pytest.raises(AmbiguousAddress, match="telegram:ADDRESS or wechat:ADDRESS"):
            subscribers.show(c, "123456789")
        assert subscribers.show(c, "wechat:123456789").channel == "wechat"


def test_an_account_that_was_chosen_is_kept_until_another_one_is(ledger: Ledger) -> None:
    with ledger.write() as c:
        for account in ("second", "", "third", ""):
            subscribers.add(
                c, channel="email", address="ann@example.com", list_names=[], account=account
            )
        assert subscribers.show(c, "ann@example.com").account == "third"


def test_a_variant_that_the_channel_does_not_have_is_refused(ledger: Ledger) -> None:
    with ledger.write() as c, pytest.raises(InvalidSubscriber, match="email has no variant 'loud'"):
        subscribers.add(
            c, channel="email", address="ann@example.com", list_names=[], variant="loud"
        )


def test_show_tells_the_last_deliveries_newest_first(ledger: Ledger, sends_to: Sends) -> None:
    with ledger.write() as c:
        ann = subscribers.ensure(c, "email", "ann@example.com")
    outcomes = [(DeliveryState.SENT, "ok", "250 queued"), (DeliveryState.FAILED, "smtp-552", "big")]
    send_ids = []
    for state, code, reply in outcomes:
        send_ids.append(sends_to.to_lists("email", "daily"))
        sends_to.delivered(
            send_ids[-1], ann, "ann@example.com", state=state, code=code, reply=reply
        )
    with ledger.read() as c:
        shown = subscribers.show(c, "ann@example.com").deliveries
    assert [one.send_id for one in shown] == list(reversed(send_ids))
    assert [(one.state, one.code, one.reply) for one in shown] == list(reversed(outcomes))
    assert shown[0].digest_title == "今日新闻"
