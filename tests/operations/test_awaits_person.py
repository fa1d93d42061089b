"""What was accepted but still waits for a person is sent, and said to wait."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from channels.wechat.account import WeChatAccount
from distributor.ledger.database import Ledger
from distributor.operations import delivery_log, receipt, status
from tests.support.service import Service, service


@pytest.fixture
def shop(tmp_path: Path, ledger: Ledger) -> Iterator[Service]:
    """A shop with an Official Account that may not publish; its tests run on both databases."""
    with service(tmp_path, ledger) as running:
        robot = running.settings.accounts["robot"]
        assert isinstance(robot, WeChatAccount)
        official = WeChatAccount(
            name="official",
            kind="official",
            app_id="wx1",
            secret=SecretStr("secret-of-the-account"),
            base_url=robot.base_url,
        )
        accounts = {**running.settings.accounts, "official": official}
        settings = running.settings.model_copy(update={"accounts": accounts})
        yield running.another_process(settings=settings)


def test_a_draft_is_sent_and_its_reason_is_shown(shop: Service) -> None:
    shop.subscribe("wechat", "official:all")
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    assert shop.counts(send_id) == {"sent": 1}
    for reasons in (
        status.of_send(shop.context, send_id).reasons,
        receipt.draw_up(shop.context, send_id).reasons,
    ):
        [reason] = reasons
        assert (reason.state.value, reason.code) == ("sent", "draft-ready")
        assert "publish it by hand" in reason.reply


def test_codes_are_explained_once_in_the_language_asked_for() -> None:
    codes = [("wechat", "draft-ready"), ("wechat", "wecom-93000"), ("wechat", "draft-ready")]
    codes += [("wechat", "ok"), ("email", "smtp-550"), ("pigeon", "lost")]
    explained = dict(delivery_log.explanations(codes, "zh_CN.UTF-8"))
    assert list(explained) == ["draft-ready", "wecom-93000"]
    assert "草稿箱" in explained["draft-ready"]
    assert "draft box" in dict(delivery_log.explanations(codes, "en"))["draft-ready"]
