"""An account that cannot send is left alone, and tried again by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from distributor.ledger import breakers
from distributor.ledger.breakers import FIRST_REST, Breaker
from tests.support.service import Service

READERS = [f"reader-{number:02}@readers.example" for number in range(12)]


def breaker(shop: Service, account: str = "relay") -> Breaker | None:
    with shop.ledger.read() as connection:
        return breakers.find(connection, account)


@pytest.fixture
def down(shop_on_each: Service) -> Service:
    """A send that has met a relay which drops every connection."""
    shop = shop_on_each
    shop.subscribe("email", *READERS)
    shop.send_id = shop.start_and_plan()
    shop.platforms.misbehave("smtp", "drop_before")
    shop.deliver(shop.send_id)
    return shop


def test_five_failures_in_a_row_open_it_and_say_why(down: Service) -> None:
    opened = breaker(down)

    assert opened is not None
    assert opened.code.startswith("smtp-")
    assert opened.open_until == down.clock() + FIRST_REST


def test_failures_with_an_answer_in_between_do_not_open_it(shop: Service) -> None:
    for place, address in enumerate(READERS):
        if place % 5 != 4:
            shop.platforms.misbehave("smtp", "drop_before", match=address)
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    shop.deliver(send_id)

    assert breaker(shop) is None
    assert shop.counts(send_id) == {"retrying": 10, "sent": 2}


def test_those_who_were_not_tried_keep_their_attempts(down: Service) -> None:
    tried = [row["attempts"] for row in down.deliveries(down.send_id).values()]

    assert sorted(tried) == [0] * 7 + [1] * 5


def test_nothing_is_tried_while_it_is_open(down: Service) -> None:
    before = down.log(down.send_id)

    down.clock.advance(seconds=FIRST_REST.total_seconds() - 1)
    down.deliver(down.send_id)

    assert down.log(down.send_id) == before


def test_one_failed_probe_opens_it_again_for_twice_as_long(down: Service) -> None:
    down.clock.advance(seconds=FIRST_REST.total_seconds())
    down.deliver(down.send_id)

    opened = breaker(down)

    assert opened is not None
    assert opened.open_until == down.clock() + 2 * FIRST_REST


def test_it_closes_by_itself_and_everybody_is_reached(down: Service) -> None:
    down.platforms.behave()
    for _ in range(3):
        down.clock.advance(seconds=60)
        down.deliver(down.send_id)

    assert breaker(down) is None
    assert down.counts(down.send_id) == {"sent": len(READERS)}


def test_other_accounts_go_on(down: Service) -> None:
    assert breaker(down, "bot") is None


def test_recipients_faults_never_open_it(shop: Service) -> None:
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    shop.platforms.misbehave("smtp", "reject", code=550, text="5.1.1 no such user")
    shop.deliver(send_id)

    assert breaker(shop) is None
    assert shop.counts(send_id) == {"failed": len(READERS)}


def test_workers_that_fail_together_open_it_once(shop_on_each: Service) -> None:
    at = shop_on_each.clock()
    with shop_on_each.ledger.write() as connection:
        first = breakers.open_(connection, "relay", code="c", reply="r", at=at)
        second = breakers.open_(
            connection, "relay", code="c", reply="r", at=at + timedelta(seconds=1)
        )

    assert first == second
