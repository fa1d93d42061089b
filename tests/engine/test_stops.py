"""A mail domain that refuses us for our own fault waits; other domains go on."""

from __future__ import annotations

import pytest

from distributor.ledger import stops
from distributor.ledger.decisions import Selection
from distributor.ledger.stops import FIRST_REST
from distributor.operations import doctor, status, steering
from tests.support.service import Service

AT_GMAIL = [f"reader-{number}@gmail.example" for number in range(6)]
ELSEWHERE = [f"reader-{number}@readers.example" for number in range(6)]
BOTH = [address for pair in zip(AT_GMAIL, ELSEWHERE, strict=True) for address in pair]
REFUSAL = "5.7.26 This mail is not authenticated"


def refuse(shop: Service) -> Service:
    """A send of which one domain takes nothing, because our mail is not authenticated."""
    shop.subscribe("email", *BOTH)
    shop.send_id = shop.start_and_plan()
    shop.platforms.misbehave(
        "smtp", "reject", match="@gmail.example", code=550, text=REFUSAL, stage="rcpt"
    )
    shop.deliver(shop.send_id)
    return shop


@pytest.fixture
def refused(shop: Service) -> Service:
    return refuse(shop)


def test_one_refusal_stops_the_domain_and_others_go_on(shop_on_each: Service) -> None:
    refused = refuse(shop_on_each)

    assert refused.counts(refused.send_id) == {"failed": 1, "queued": 5, "sent": 6}


def test_nobody_is_suppressed(refused: Service) -> None:
    assert not any(refused.is_suppressed(address) for address in BOTH)


def test_those_who_wait_keep_their_attempts(refused: Service) -> None:
    waiting = [row for row in refused.deliveries(refused.send_id).values() if not row["code"]]

    assert {(row["attempts"], row["state"].value) for row in waiting} == {(0, "queued")}


def test_the_operator_sees_why_in_words(refused: Service) -> None:
    now = status.of_send(refused.context, refused.send_id)

    (sentence,) = status.who_waits(refused.context, now)
    assert "Deliveries to @gmail.example by account relay have been paused" in sentence
    assert f"550 {REFUSAL}" in sentence
    found = [finding.message for finding in doctor.examine(refused.settings)]
    assert sentence in found


def test_nothing_is_tried_while_it_waits(refused: Service) -> None:
    before = refused.log(refused.send_id)

    refused.clock.advance(seconds=FIRST_REST.total_seconds() - 1)
    refused.deliver(refused.send_id)

    assert refused.log(refused.send_id) == before


def test_one_more_refusal_makes_the_rest_twice_as_long(refused: Service) -> None:
    refused.clock.advance(seconds=FIRST_REST.total_seconds())
    refused.deliver(refused.send_id)

    with refused.ledger.read() as connection:
        (stop,) = stops.all_(connection)
    assert (stop.times, stop.open_until) == (2, refused.clock() + 2 * FIRST_REST)
    assert refused.counts(refused.send_id) == {"failed": 2, "queued": 4, "sent": 6}


def test_put_right_it_goes_on_by_itself(refused: Service) -> None:
    refused.platforms.behave()
    refused.clock.advance(seconds=FIRST_REST.total_seconds())
    refused.deliver(refused.send_id)

    assert refused.counts(refused.send_id) == {"failed": 1, "sent": 11}
    assert status.who_waits(refused.context, status.of_send(refused.context, refused.send_id)) == ()


def test_an_operator_who_retries_need_not_wait(refused: Service) -> None:
    refused.platforms.behave()
    steering.retry(refused.context, refused.send_id, Selection(), operator="kim")
    refused.deliver(refused.send_id)

    assert refused.counts(refused.send_id) == {"sent": 12}


def test_another_worker_knows_of_it(refused: Service) -> None:
    late = "late@gmail.example"
    refused.subscribe("email", late, to="others")
    send_id = refused.start_and_plan(to="others", again=True)

    refused.another_process().deliver(send_id)

    assert refused.counts(send_id) == {"queued": 1}


@pytest.mark.parametrize(
    ("code", "text", "sends"),
    [(552, "5.2.2 Mailbox full", 5), (550, "User not found", 3)],
    ids=["full", "refused"],
)
def test_a_mailbox_that_is_full_or_refused_again_and_again_is_suppressed(
    shop: Service, code: int, text: str, sends: int
) -> None:
    shop.subscribe("email", ELSEWHERE[0])
    shop.platforms.misbehave("smtp", "reject", code=code, text=text, stage="rcpt")
    suppressed = []
    for _ in range(sends):
        send_id = shop.start_and_plan(again=True)
        shop.deliver(send_id)
        suppressed.append(shop.is_suppressed(ELSEWHERE[0]))
        assert shop.counts(send_id) == {"failed": 1}

    assert suppressed == [False] * (sends - 1) + [True]
