"""The delivery log: every try at every recipient, and no secret in it."""

from __future__ import annotations

import json

import pytest

from distributor.ledger.states import DeliveryState
from distributor.operations import delivery_log
from distributor.operations.errors import OperationError
from tests.support.service import Service

_ROBOT = "7d0f6c1e-58a3-4e0b-9a41-c2b3f1d8e601"


def test_every_recipient_has_an_entry(shop: Service) -> None:
    send_id = shop.start_and_plan()
    shop.deliver(send_id)

    found = delivery_log.entries(shop.context, send_id)

    assert {(entry.address, entry.outcome.value) for entry in found} == {
        ("reader@example.org", "sent"),
        ("@a_channel", "sent"),
    }


def test_the_log_of_one_state_leaves_out_the_others(shop: Service) -> None:
    shop.platforms.misbehave("smtp", "reject", code="550", text="5.1.1 no such user")
    send_id = shop.start_and_plan()
    shop.deliver(send_id)

    found = list(delivery_log.entries(shop.context, send_id, state=DeliveryState.FAILED))

    assert [entry.address for entry in found] == ["reader@example.org"]


def test_the_log_of_one_subscriber_is_found_by_address_and_by_id(shop: Service) -> None:
    send_id = shop.start_and_plan()
    shop.deliver(send_id)

    (by_address,) = delivery_log.entries(shop.context, send_id, subscriber="@a_channel")
    by_id = delivery_log.entries(shop.context, send_id, subscriber=str(by_address.subscriber))

    assert list(by_id) == [by_address]


@pytest.mark.parametrize(
    ("added", "written"),
    [
        ("bob@example.net", "BOB@Example.net"),
        ("bob@example.net", "email: bob@example.net"),
        ("bob@xn--fsqu00a.xn--fiqs8s", "bob@例子.中国"),
    ],
)
def test_an_address_is_found_in_any_spelling(shop: Service, added: str, written: str) -> None:
    shop.subscribe("email", added)
    send_id = shop.start_and_plan()

    found = list(delivery_log.entries(shop.context, send_id, subscriber=written))

    assert [entry.address for entry in found] == [added]


def test_the_key_of_a_robot_is_in_no_entry(shop: Service) -> None:
    shop.subscribe("wechat", _ROBOT, to="group")
    send_id = shop.start_and_plan(to="group")
    shop.deliver(send_id)

    shown = [delivery_log.as_json(one) for one in delivery_log.entries(shop.context, send_id)]

    assert shown
    assert _ROBOT not in json.dumps(shown)


def test_an_address_of_a_channel_that_is_gone_is_shown_as_it_is() -> None:
    assert delivery_log.shown_address("pigeon", "loft 3") == "loft 3"


def test_a_send_that_is_not_there_is_named(shop: Service) -> None:
    with pytest.raises(OperationError, match="there is no send 99"):
        list(delivery_log.entries(shop.context, 99))
