"""Deliveries that leave in one call: each has its own books, and all come back together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from channels.base import Outcome, Part, Recipient
from channels.wechat.account import WeChatAccount
from channels.wechat.app import AppConnection
from distributor.ledger import breakers
from distributor.ledger.database import Ledger
from tests.support.service import Service, service

MEMBERS = [f"app:member{number}" for number in range(5)]


class Killed(BaseException):
    """Stands for a kill -9 in the middle of a call."""


@pytest.fixture
def shop(tmp_path: Path, sqlite_ledger: Ledger) -> Iterator[Service]:
    with service(tmp_path, sqlite_ledger) as running:
        robot = running.settings.accounts["robot"]
        assert isinstance(robot, WeChatAccount)
        staff = WeChatAccount(
            name="staff",
            kind="app",
            corp_id="ww1",
            agent_id=1000002,
            secret=SecretStr("secret-of-the-staff"),
            base_url=robot.base_url,
            retry_base_seconds=2,
        )
        accounts = {**running.settings.accounts, "staff": staff}
        settings = running.settings.model_copy(update={"accounts": accounts})
        yield running.another_process(settings=settings)


def test_members_are_reached_in_one_call_and_each_has_their_own_log(shop: Service) -> None:
    shop.platforms.misbehave("wecom", "reject", match=MEMBERS[3], code=81013)
    shop.subscribe("wechat", *MEMBERS)
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    assert shop.counts(send_id) == {"sent": 4, "failed": 1}
    first = [entry for entry in shop.log(send_id) if entry.part == 1]
    assert len({entry.message_id for entry in first if entry.code == "ok"}) == 1
    assert [entry.address for entry in first if entry.code == "wecom-invalid-user"] == [MEMBERS[3]]
    assert set(shop.copies("wecom").values()) == {2}


def test_those_who_share_an_answer_come_back_at_the_same_time(shop: Service) -> None:
    shop.platforms.misbehave("wecom", "reject", match="app:", code=-1)
    shop.subscribe("wechat", *MEMBERS)
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    waits = {row["next_attempt_at"] for row in shop.deliveries(send_id).values()}
    assert shop.counts(send_id) == {"retrying": 5}
    assert len(waits) == 1
    shop.platforms.behave()
    shop.clock.advance_to(waits.pop())
    shop.deliver(send_id)
    assert shop.counts(send_id) == {"sent": 5}


def test_a_worker_killed_in_a_call_leaves_all_of_it_in_doubt_and_nothing_arrives_twice(
    shop: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.subscribe("wechat", *MEMBERS)
    send_id = shop.start_and_plan()
    handed_over = AppConnection.deliver_together

    def killed(self: AppConnection, part: Part, to: list[Recipient]) -> list[Outcome]:
        handed_over(self, part, to)
        raise Killed

    monkeypatch.setattr(AppConnection, "deliver_together", killed)
    with pytest.raises(Killed):
        shop.deliver(send_id)
    monkeypatch.setattr(AppConnection, "deliver_together", handed_over)
    shop.clock.advance(seconds=120)
    shop.another_process().deliver(send_id)
    assert shop.counts(send_id) == {"sent": 5}
    lost = [entry for entry in shop.log(send_id) if entry.code == "worker-lost"]
    assert len(lost) == 5
    assert set(shop.copies("wecom").values()) == {2}


def test_a_probe_is_for_one_of_them_and_all_others_keep_their_attempts(shop: Service) -> None:
    shop.platforms.misbehave("wecom", "reject", match="app:", code=-1)
    shop.subscribe("wechat", *MEMBERS)
    send_id = shop.start_and_plan()
    with shop.ledger.write() as c:
        opened = breakers.open_(c, "staff", code="down", reply="down", at=shop.clock())
    shop.clock.advance_to(opened.open_until)
    shop.deliver(send_id)
    tried = sorted(row["attempts"] for row in shop.deliveries(send_id).values())
    assert tried == [0, 0, 0, 0, 1]


def test_a_probe_of_those_who_were_called_together_names_all_of_them_again(shop: Service) -> None:
    shop.platforms.misbehave("wecom", "reject", match="app:", code=-1)
    shop.subscribe("wechat", *MEMBERS)
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    (due_at,) = {row["next_attempt_at"] for row in shop.deliveries(send_id).values()}
    with shop.ledger.write() as c:
        breakers.open_(c, "staff", code="down", reply="down", at=due_at - breakers.FIRST_REST)
    shop.platforms.behave()
    shop.clock.advance_to(due_at)
    shop.deliver(send_id)
    again = [entry for entry in shop.log(send_id) if entry.part == 1 and entry.attempt == 2]
    assert len(again) == 5
    assert len({entry.message_id for entry in again}) == 1
    assert shop.counts(send_id) == {"sent": 5}
