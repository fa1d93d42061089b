"""The demo writes to invented addresses: never to a real platform, and the same way every time."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from distributor.audience import lists
from distributor.ledger.database import Ledger
from distributor.operations import demo, editions
from distributor.operations.errors import OperationError
from distributor.settings import load
from distributor.templating import shipped
from tests.support.service import Service

_SHIPPED = shipped("config") / "distributor.toml"


def members(ledger: Ledger) -> Mapping[str, int]:
    with ledger.read() as connection:
        return {one.name: one for one in lists.overview(connection)}[demo.LIST].members


def test_the_shipped_configuration_leads_to_the_sandbox() -> None:
    demo.require_sandbox(load(_SHIPPED, {}))


@pytest.mark.parametrize(
    ("variable", "value", "account"),
    [
        ("DISTRIBUTOR_ACCOUNTS_RELAY_HOST", "smtp.example.org", "relay"),
        ("DISTRIBUTOR_ACCOUNTS_RELAY_PORT", "25", "relay"),
        ("DISTRIBUTOR_ACCOUNTS_BOT_BASE_URL", "https://api.telegram.org/bot", "bot"),
        ("DISTRIBUTOR_ACCOUNTS_BOT_BASE_URL", "http://127.0.0.1:80255/bot", "bot"),
        ("DISTRIBUTOR_ACCOUNTS_ROBOT_BASE_URL", "https://qyapi.weixin.qq.com", "robot"),
        ("DISTRIBUTOR_SANDBOX_ENABLED", "false", "relay"),
    ],
)
def test_an_account_that_leads_elsewhere_is_refused(
    variable: str, value: str, account: str
) -> None:
    settings = load(_SHIPPED, {variable: value})

    with pytest.raises(OperationError, match=f"the account '{account}' does not lead"):
        demo.require_sandbox(settings)


def test_the_sample_may_go_out() -> None:
    assert editions.load(demo.sample_digest(), load(_SHIPPED, {})).publishable


def test_the_audience_is_on_all_channels_and_the_same_the_second_time(shop: Service) -> None:
    demo.gather_audience(shop.context)
    first = members(shop.ledger)

    demo.gather_audience(shop.context)

    assert members(shop.ledger) == first
    assert first["email"] >= 200
    assert first["telegram"] == 3
    assert first["wechat"] == 2


def test_three_readers_make_the_trouble_that_is_announced(shop: Service) -> None:
    demo.gather_audience(shop.context)
    demo.misbehave(shop.settings)

    send_id = shop.start_and_plan(demo.sample_digest().read_text(encoding="utf-8"), to=demo.LIST)
    shop.deliver(send_id)

    rows = shop.deliveries(send_id)
    assert rows[demo.GONE]["state"] == "failed"
    assert rows[demo.BUSY]["state"] == "retrying"
    assert rows[demo.OPTED_OUT]["state"] == "skipped"
    assert shop.is_suppressed(demo.GONE)
