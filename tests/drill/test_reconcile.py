"""The ledger is held against what was received: what is forgiven, and what is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from distributor.drill.platforms import Copies
from distributor.drill.reconcile import Delivered, Doubts, Result, Terms, reconcile
from distributor.ledger.states import OPEN_STATES, DeliveryState

READER, CHAT = "reader@drill.example", "70000001"
REFUSED = "gone@drill.example"
TERMS = Terms(
    audience={"email": [READER, REFUSED], "telegram": [CHAT]},
    parts={"email": 1, "telegram": 2},
    refused={("email", REFUSED)},
    resending={"email"},
)
SENT, FAILED, UNKNOWN = DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNKNOWN
IN_FLIGHT = Doubts(in_flight=Counter(email=1, telegram=1))


def outcome(
    *,
    reader: DeliveryState | None = SENT,
    refused: DeliveryState = FAILED,
    chat: DeliveryState = SENT,
    mails: Mapping[str, int] | None = None,
    posts: Mapping[str, int] | None = None,
    doubts: Doubts | None = None,
) -> Mapping[str, Result]:
    """A send that went well, but for what is named."""
    states = {
        ("email", READER): reader,
        ("email", REFUSED): refused,
        ("telegram", CHAT): chat,
    }
    deliveries = [Delivered(*key, state, "code") for key, state in states.items() if state]
    copies = Copies(
        {
            ("email", READER): Counter({"<1@drill>": 1} if mails is None else mails),
            ("telegram", CHAT): Counter({"one": 1, "two": 1} if posts is None else posts),
        }
    )
    return reconcile(deliveries, copies, doubts or Doubts(), TERMS)


def test_everybody_received_what_the_ledger_says() -> None:
    results = outcome()
    assert all(result.holds for result in results.values())
    assert results["email"].states == {SENT: 1, FAILED: 1}


def test_sent_but_not_received_is_lost() -> None:
    assert outcome(mails={})["email"].lost


def test_a_post_of_which_a_part_is_missing_is_lost() -> None:
    assert outcome(posts={"one": 1})["telegram"].lost


def test_who_is_not_in_the_ledger_is_lost() -> None:
    assert outcome(reader=None, mails={})["email"].lost


@pytest.mark.parametrize("state", OPEN_STATES)
def test_who_is_in_no_end_state_is_lost(state: DeliveryState) -> None:
    assert outcome(reader=state, mails={})["email"].lost


def test_failed_though_nobody_refused_it_is_wrong() -> None:
    assert outcome(reader=FAILED, mails={})["email"].wrong


def test_skipped_though_nobody_asked_for_it_is_wrong() -> None:
    assert outcome(reader=DeliveryState.SKIPPED, mails={})["email"].wrong


def test_a_second_copy_of_another_message_is_wrong() -> None:
    assert outcome(mails={"<1@drill>": 1, "<2@drill>": 1}, doubts=IN_FLIGHT)["email"].wrong


def test_a_second_copy_is_allowed_for_a_message_in_flight() -> None:
    assert outcome(mails={"<1@drill>": 2}, doubts=IN_FLIGHT)["email"].holds


def test_a_second_copy_is_allowed_where_an_answer_was_swallowed() -> None:
    swallowed = Doubts(unanswered=Counter({("email", READER): 1}))
    assert outcome(mails={"<1@drill>": 2}, doubts=swallowed)["email"].holds


@pytest.mark.parametrize(("copies", "doubts"), [(2, Doubts()), (3, IN_FLIGHT)])
def test_more_copies_than_messages_in_doubt_are_too_many(copies: int, doubts: Doubts) -> None:
    assert not outcome(mails={"<1@drill>": copies}, doubts=doubts)["email"].holds


def test_unknown_is_allowed_for_a_message_in_flight() -> None:
    assert outcome(chat=UNKNOWN, posts={"one": 1}, doubts=IN_FLIGHT)["telegram"].holds


def test_unknown_without_a_doubt_is_too_many() -> None:
    assert not outcome(chat=UNKNOWN, posts={"one": 1})["telegram"].holds


def test_a_second_copy_where_what_is_in_doubt_is_held_is_wrong() -> None:
    assert outcome(posts={"one": 2, "two": 1}, doubts=IN_FLIGHT)["telegram"].wrong


def test_unknown_where_what_is_in_doubt_is_resent_is_wrong() -> None:
    assert outcome(reader=UNKNOWN, doubts=IN_FLIGHT)["email"].wrong


def test_unknown_is_allowed_where_the_second_copy_of_a_message_in_flight_was_refused() -> None:
    assert outcome(refused=UNKNOWN, doubts=IN_FLIGHT)["email"].holds
    assert not outcome(refused=UNKNOWN)["email"].holds
