"""No account waits for another: a slow one leaves a lane free."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from distributor.audience import subscribers
from distributor.engine import courier
from distributor.engine.lanes import Lanes
from tests.support.service import Meanwhile, Service

SLOW = [f"slow-{number}@example.org" for number in range(4)]
QUICK = "quick@example.org"


def test_an_account_enters_until_it_has_its_lanes() -> None:
    lanes = Lanes(4, ["relay", "second"])
    assert [lanes.enter("relay", batch, 2) for batch in (1, 2, 3)] == [True, True, False]
    assert lanes.enter("second", 4, 2)


def test_each_account_that_is_not_at_work_finds_a_lane() -> None:
    lanes = Lanes(4, ["relay", "second", "third"])
    assert [lanes.enter("relay", batch, 9) for batch in (1, 2, 3)] == [True, True, False]
    assert [lanes.enter("second", batch, 9) for batch in (4, 5)] == [True, False]
    assert lanes.enter("third", 6, 9)


def test_an_account_alone_has_all_lanes_to_itself() -> None:
    lanes = Lanes(3, ["relay"])
    assert [lanes.enter("relay", batch, 9) for batch in (1, 2, 3)] == [True, True, True]


def test_many_accounts_at_rest_leave_half_of_the_lanes_to_one_that_works() -> None:
    lanes = Lanes(4, [f"robot-{number}" for number in range(10)])
    taken = [lanes.enter("robot-1", batch, 9) for batch in (1, 2, 3)]
    assert taken == [True, True, False]


def test_what_waited_follows_in_the_lane_that_is_done() -> None:
    lanes = Lanes(4, ["relay", "second"])
    for batch in (1, 2, 3, 2):
        lanes.enter("relay", batch, 1)
    assert [lanes.next("relay") for _ in range(3)] == [2, 3, None]
    assert lanes.enter("relay", 5, 1)


def test_a_lane_that_is_left_can_be_taken_again() -> None:
    lanes = Lanes(4, ["relay", "second"])
    assert lanes.enter("relay", 1, 1)
    lanes.leave("relay")
    assert lanes.enter("relay", 2, 1)


@pytest.fixture
def two_relays(shop: Service) -> Service:
    """A process with two lanes and two relays, the second one chosen by `QUICK`."""
    relay = shop.settings.accounts["relay"]
    settings = shop.settings.model_copy(
        update={
            "accounts": {"relay": relay, "second": relay.model_copy(update={"name": "second"})},
            "sending": shop.settings.sending.model_copy(update={"lanes": 2, "batch_size": 1}),
        }
    )
    shop.subscribe("email", *SLOW, QUICK)
    with shop.ledger.write() as connection:
        subscribers.add(connection, channel="email", address=QUICK, list_names=[], account="second")
    return shop.another_process(settings=settings, lanes=Lanes(2, settings.accounts))


def test_an_account_that_hangs_leaves_a_lane_to_the_others(two_relays: Service) -> None:
    shop = two_relays
    send_id = shop.start_and_plan()
    of_relay = [batch.id for batch in shop.batches(send_id) if batch.account == "relay"]
    (of_second,) = (batch.id for batch in shop.batches(send_id) if batch.account == "second")
    hangs, goes_on = threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        assert goes_on.wait(60)

    slow = replace(shop.context, limiter=Meanwhile(1, hang))
    with ThreadPoolExecutor(1) as thread:
        hanging = thread.submit(courier.deliver_batch, slow, of_relay[0])
        assert hangs.wait(60)
        try:
            for batch in (*of_relay[1:], of_second):
                courier.deliver_batch(shop.context, batch)
            assert shop.counts(send_id) == {"sent": 1, "sending": 1, "queued": 3}
        finally:
            goes_on.set()
        hanging.result()
    shop.context.connections.close()
    assert shop.counts(send_id) == {"sent": len(SLOW) + 1}
