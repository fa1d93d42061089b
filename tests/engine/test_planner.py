"""Planning: what a send freezes before anything leaves."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from channels import registry
from channels.base import Edition, Rendering
from distributor.engine import planner
from distributor.ledger import sends, tables
from distributor.ledger.database import Ledger
from distributor.ledger.states import SendState
from distributor.templating import Templates
from tests.support.service import Service, service

READERS = [f"reader-{number}@example.org" for number in range(5)]
CHATS = ["@daily_news", "-1001748201733"]
ROBOT = "7d0f6c1e-58a3-4e0b-9a41-c2b3f1d8e601"


def subscribe_to_all_channels(shop: Service) -> None:
    shop.subscribe("email", *READERS)
    shop.subscribe("telegram", *CHATS)
    shop.subscribe("wechat", ROBOT)


def renderings(shop: Service, send_id: int) -> list[tuple[str, Any]]:
    """Channel and parts of everything that was rendered for the send."""
    table = tables.renderings
    with shop.ledger.read() as connection:
        query = sa.select(table.c.channel, table.c.parts).where(table.c.send_id == send_id)
        return [(row.channel, row.parts) for row in connection.execute(query)]


def test_each_subscriber_gets_one_delivery(shop_on_each: Service) -> None:
    subscribe_to_all_channels(shop_on_each)
    send_id = shop_on_each.start_and_plan()
    assert set(shop_on_each.deliveries(send_id)) == {*READERS, *CHATS, ROBOT}
    assert shop_on_each.counts(send_id) == {"queued": 8}


def test_a_subscriber_of_two_lists_gets_one_delivery(shop: Service) -> None:
    shop.subscribe("email", *READERS, to="daily")
    shop.subscribe("email", READERS[0], "other@example.org", to="weekly")
    send_id = shop.start_request(path=shop.write_edition(), lists=["daily", "weekly"])
    assert shop.plan(send_id)
    assert set(shop.deliveries(send_id)) == {*READERS, "other@example.org"}


def test_each_channel_renders_once_whatever_the_number_of_subscribers(
    shop: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe_to_all_channels(shop)
    rendered = []

    def watch(name: str, channel: type) -> None:
        unwatched = channel.render  # type: ignore[attr-defined]

        def render(self: object, edition: Edition, *how: Any) -> Rendering:
            rendered.append(name)
            done: Rendering = unwatched(self, edition, *how)
            return done

        monkeypatch.setattr(channel, "render", render)

    for name in registry.names():
        watch(name, type(registry.get(name)))
    shop.start_and_plan()
    assert sorted(rendered) == ["email", "telegram", "wechat"]


def test_what_was_rendered_is_kept_with_the_send(shop_on_each: Service) -> None:
    subscribe_to_all_channels(shop_on_each)
    send_id = shop_on_each.start_and_plan()
    kept = dict(renderings(shop_on_each, send_id))
    assert set(kept) == {"email", "telegram", "wechat"}
    assert all("第 1 件事" in str(parts) for parts in kept.values())


@pytest.mark.parametrize(("lists", "named"), [(["daily"], "daily"), (["daily", "weekly"], "")])
def test_a_rendering_knows_its_list_when_the_send_has_one_alone(
    shop: Service, lists: list[str], named: str
) -> None:
    for name in ("daily", "weekly"):
        shop.subscribe("email", *READERS, to=name)
    send_id = shop.start_request(path=shop.write_edition(), lists=lists)
    assert shop.plan(send_id)
    ((_, (part,)),) = renderings(shop, send_id)
    assert part["list"] == named


def test_deliveries_are_shared_out_in_batches_of_the_configured_size(
    tmp_path: Path, shop: Service
) -> None:
    with service(tmp_path / "small", shop.ledger, DISTRIBUTOR_SENDING_BATCH_SIZE="2") as small:
        subscribe_to_all_channels(small)
        send_id = small.start_and_plan()
        members = Counter(row["batch_id"] for row in small.deliveries(send_id).values())
        sizes = [(batch.channel, members[batch.id]) for batch in small.batches(send_id)]
    assert sizes == [("email", 2), ("email", 2), ("email", 1), ("telegram", 2), ("wechat", 1)]


def test_an_address_suppressed_before_the_send_is_counted_as_skipped(shop_on_each: Service) -> None:
    shop_on_each.subscribe("email", *READERS)
    shop_on_each.suppress(READERS[0])
    send_id = shop_on_each.start_and_plan()
    skipped = shop_on_each.deliveries(send_id)[READERS[0]]
    assert (skipped["state"], skipped["code"]) == ("skipped", "suppressed")
    assert shop_on_each.counts(send_id) == {"queued": 4, "skipped": 1}


def test_a_send_to_suppressed_addresses_alone_is_finished_at_once(shop: Service) -> None:
    shop.subscribe("email", READERS[0])
    shop.suppress(READERS[0])
    send_id = shop.start_and_plan()
    assert shop.send(send_id).state is SendState.FINISHED


def test_planning_again_changes_nothing(shop_on_each: Service) -> None:
    shop_on_each.subscribe("email", *READERS)
    send_id = shop_on_each.start_and_plan()
    before = shop_on_each.deliveries(send_id)
    assert not shop_on_each.plan(send_id)
    assert shop_on_each.deliveries(send_id) == before


def test_two_planners_at_once_plan_once(shop_on_each: Service) -> None:
    subscribe_to_all_channels(shop_on_each)
    send_id = shop_on_each.start()
    together = threading.Barrier(2)

    def plan(process: Service) -> bool:
        together.wait(10)
        return process.plan(send_id)

    with ThreadPoolExecutor(2) as pool:
        planned = pool.map(plan, [shop_on_each, shop_on_each.another_process()])
    assert sorted(planned) == [False, True]
    assert shop_on_each.counts(send_id) == {"queued": 8}
    assert len(renderings(shop_on_each, send_id)) == 3


def test_a_planner_does_not_wait_for_one_that_is_at_it(
    tmp_path: Path, postgres_ledger: Ledger
) -> None:
    """On SQLite no one can see another's transaction."""
    with service(tmp_path, postgres_ledger) as shop:
        shop.subscribe("email", *READERS)
        send_id = shop.start()
        with shop.ledger.write() as connection:
            assert sends.begin(connection, send_id, at=shop.clock())
            assert not shop.another_process().plan(send_id)
            connection.rollback()
        assert shop.plan(send_id)


def test_a_channel_without_an_account_holds_the_whole_send(shop_on_each: Service) -> None:
    subscribe_to_all_channels(shop_on_each)
    send_id = shop_on_each.start()
    accounts = dict(shop_on_each.settings.accounts)
    del accounts["robot"]
    elsewhere = shop_on_each.another_process(
        settings=shop_on_each.settings.model_copy(update={"accounts": accounts})
    )
    assert not elsewhere.plan(send_id)
    held = shop_on_each.send(send_id)
    assert (held.state, held.held_reason) == (
        SendState.HELD,
        "no account is configured for wechat, which 1 of its subscribers need",
    )
    assert shop_on_each.deliveries(send_id) == {}


def test_an_edition_that_a_channel_cannot_carry_holds_the_whole_send(
    tmp_path: Path, shop: Service
) -> None:
    subscribe_to_all_channels(shop)
    send_id = shop.start()
    own_templates = tmp_path / "templates" / "telegram"
    own_templates.mkdir(parents=True)
    (own_templates / "message.html.j2").write_text("")
    elsewhere = shop.another_process(templates=Templates(own_templates.parent))
    assert not elsewhere.plan(send_id)
    held = shop.send(send_id)
    assert held.state is SendState.HELD
    assert str(held.held_reason).startswith("telegram cannot carry this edition: ")
    assert shop.deliveries(send_id) == {}


def test_a_held_edition_can_be_sent_again_once_it_is_put_right(shop: Service) -> None:
    shop.subscribe("wechat", ROBOT)
    held = shop.start()
    without_accounts = shop.settings.model_copy(update={"accounts": {}})
    shop.another_process(settings=without_accounts).plan(held)
    send_id = shop.start_and_plan()
    assert shop.counts(send_id) == {"queued": 1}


def test_a_send_that_is_not_there_is_not_planned(shop: Service) -> None:
    assert not planner.prepare(shop.context, 404)
