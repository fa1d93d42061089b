"""What is measured: from the ledger, from Redis, and of what is away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from distributor.engine import broker, counters, ticks
from distributor.engine.counters import Counters
from distributor.engine.processes import beating, redis_at_hand
from distributor.ledger import batches, breakers, database, patience, stops
from distributor.ledger.database import Ledger
from distributor.ledger.states import SendState
from distributor.operations import metrics
from distributor.operations.metrics import Metrics
from tests.support.proxy import database_socket, freezing_proxy, through
from tests.support.service import Service
from tests.support.waiting import eventually

Labels = frozenset[tuple[str, str]]


def measured(shop: Service, ledger: Ledger | None = None) -> Mapping[str, Mapping[Labels, float]]:
    """Samples by name, without the prefix that all have, and by labels."""
    measuring = Metrics(shop.settings, ledger or shop.ledger, shop.clock)
    return {
        family.name.removeprefix("distributor_"): {
            frozenset(sample.labels.items()): sample.value for sample in family.samples
        }
        for family in measuring.measure()
    }


def labels(**values: str) -> Labels:
    return frozenset(values.items())


@pytest.fixture
def with_redis(shop: Service) -> Iterator[Service]:
    with redis_at_hand(shop.settings):
        yield shop


def test_deliveries_under_way_are_counted_by_channel_account_and_state(shop: Service) -> None:
    shop.suppress("reader@example.org")
    shop.start_and_plan()
    found = measured(shop)["deliveries"]
    assert found[labels(channel="email", account="relay", state="skipped")] == 1
    assert found[labels(channel="telegram", account="bot", state="queued")] == 1
    assert found[labels(channel="telegram", account="bot", state="sent")] == 0


def test_deliveries_of_a_send_that_has_ended_are_counted_no_more(shop: Service) -> None:
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    assert "deliveries" in measured(shop)
    assert measured(shop)["deliveries"] == {}


def test_what_was_paused_and_forgotten_is_not_counted(shop: Service) -> None:
    shop.move(shop.start_and_plan(), SendState.PAUSED)
    shop.clock.advance(hours=24 * 8)
    assert measured(shop)["deliveries"] == {}


@pytest.mark.parametrize("state", [SendState.SENDING, SendState.PREPARING])
def test_a_send_under_way_is_counted_however_long_ago_it_was_created(
    shop: Service, state: SendState
) -> None:
    shop.move(shop.start_and_plan(), state)
    shop.clock.advance(hours=24 * 30)
    assert measured(shop)["deliveries"]
    assert measured(shop)["batches_due"][labels(channel="email")] == (state is SendState.SENDING)


def test_a_send_that_was_paused_lately_is_counted_however_old_it_is(shop: Service) -> None:
    send_id = shop.start(at=shop.clock() + timedelta(days=9))
    shop.clock.advance(days=9, seconds=1)
    shop.sweep()
    assert shop.plan(send_id)
    shop.move(send_id, SendState.PAUSED)
    assert measured(shop)["deliveries"]


def test_sends_are_counted_in_every_state(shop: Service) -> None:
    shop.start()
    found = measured(shop)["sends"]
    assert found[labels(state="preparing")] == 1
    assert len(found) == len(SendState)


def test_queue_age_is_that_of_the_oldest_batch_that_nobody_holds(shop: Service) -> None:
    send_id = shop.start_and_plan()
    shop.clock.advance(seconds=40)
    by_channel = {batch.channel: batch.id for batch in shop.batches(send_id)}
    with shop.ledger.write() as connection:
        lease = shop.context.leases.lease
        batches.claim(connection, by_channel["telegram"], worker="w", at=shop.clock(), lease=lease)
    found = measured(shop)
    assert found["queue_age_seconds"] == {
        labels(channel="email"): 40,
        labels(channel="telegram"): 0,
        labels(channel="wechat"): 0,
    }
    assert found["leases_held"][labels(channel="telegram")] == 1
    assert found["batches_due"][labels(channel="email")] == 1


def test_a_batch_whose_lease_ran_out_is_due_again(shop: Service) -> None:
    (batch, *_) = shop.batches(shop.start_and_plan())
    with shop.ledger.write() as connection:
        lease = shop.context.leases.lease
        batches.claim(connection, batch.id, worker="w", at=shop.clock(), lease=lease)
    shop.clock.advance(seconds=shop.settings.sending.lease_seconds + 1)
    found = measured(shop)
    assert found["leases_held"][labels(channel=batch.channel)] == 0
    assert found["batches_due"][labels(channel=batch.channel)] == 1


def test_an_account_that_rests_is_shown_with_its_code_and_no_words(shop: Service) -> None:
    with shop.ledger.write() as connection:
        breakers.open_(
            connection, "relay", code="smtp-535", reply="bob@example.org", at=shop.clock()
        )
    found = measured(shop)
    assert found["breaker_open"][labels(account="relay")] == 1
    assert found["breaker_open"][labels(account="bot")] == 0
    assert found["breaker_reason"] == {labels(account="relay", code="smtp-535"): 1}


def test_domains_that_refuse_an_account_are_counted_and_not_named(shop: Service) -> None:
    with shop.ledger.write() as connection:
        for ending in ("@example.net", "@example.com"):
            stops.open_(
                connection, "relay", ending, code="smtp-550-5.7.1", reply="spam", at=shop.clock()
            )
    found = measured(shop)
    assert found["stops"] == {labels(account="relay", code="smtp-550-5.7.1"): 2}


def test_processes_are_counted_by_role_and_missing_ones_are_zero(with_redis: Service) -> None:
    with beating(with_redis.settings, ["worker:email"]):
        role = labels(role="worker:email")
        eventually(lambda: measured(with_redis)["processes_alive"][role] == 1)
    assert measured(with_redis)["processes_alive"][labels(role="scheduler")] == 0


def test_what_processes_counted_is_added_up(with_redis: Service) -> None:
    with broker.client(with_redis.settings) as client:
        for _ in range(2):
            process = Counters()
            process.add(counters.ATTEMPTS, "email", "failed", "smtp-550", by=3)
            process.flush(client)
    tries = measured(with_redis)["attempts_total"]
    assert tries == {labels(channel="email", outcome="failed", code="smtp-550"): 6}


def test_a_send_that_nobody_works_on_is_counted(with_redis: Service) -> None:
    with_redis.start_and_plan()
    assert measured(with_redis)["sends_idle"] == {labels(): 1}
    roles = ["worker:control", "worker:email", "worker:telegram", "scheduler"]
    with beating(with_redis.settings, roles):
        eventually(lambda: measured(with_redis)["sends_idle"] == {labels(): 0})


def test_a_send_that_stands_still_is_counted_although_everybody_is_alive(
    with_redis: Service,
) -> None:
    with_redis.start_and_plan()
    overdue = with_redis.start(again=True, at=with_redis.clock() + timedelta(seconds=5))
    assert with_redis.send(overdue).state is SendState.SCHEDULED
    roles = ["worker:control", "worker:email", "worker:telegram", "scheduler"]
    with beating(with_redis.settings, roles):
        eventually(lambda: measured(with_redis)["sends_idle"] == {labels(): 0})
        with_redis.clock.advance(seconds=20)
        assert measured(with_redis)["sends_idle"] == {labels(): 1}
        with_redis.clock.advance(seconds=20)
        assert measured(with_redis)["sends_idle"] == {labels(): 2}


def test_the_age_of_the_last_sweep_is_told(with_redis: Service) -> None:
    assert "sweep_age_seconds" not in measured(with_redis)
    with broker.client(with_redis.settings) as client:
        ticks.sweep_ended(client)
    assert 0 <= measured(with_redis)["sweep_age_seconds"][labels()] < 30


def test_the_worst_clock_is_told(with_redis: Service) -> None:
    assert measured(with_redis)["clock_difference_seconds"] == {labels(): 0}
    with broker.client(with_redis.settings) as client:
        client.set("distributor:alive:worker:email:a:1", "-90.5")
        client.set("distributor:alive:worker:email:b:2", "3.25")
    assert measured(with_redis)["clock_difference_seconds"] == {labels(): 90.5}


def test_without_redis_the_ledger_is_still_measured(shop: Service) -> None:
    found = measured(shop)
    assert (found["redis_up"], found["ledger_up"]) == ({labels(): 0}, {labels(): 1})
    assert "sends" in found
    assert "processes_alive" not in found
    assert "sends_idle" not in found


def test_without_the_ledger_redis_is_still_measured(with_redis: Service, tmp_path: Path) -> None:
    found = measured(with_redis, Ledger(f"sqlite:///{tmp_path}"))
    assert (found["redis_up"], found["ledger_up"]) == ({labels(): 1}, {labels(): 0})
    assert "processes_alive" in found
    assert "sends" not in found


@pytest.mark.slow
def test_a_database_that_hangs_is_measured_as_away(
    shop: Service, migrated_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "_LEDGER_PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(patience, "_CONNECT_SECONDS", 2)
    monkeypatch.setattr(database, "_TRY_AFTER_SECONDS", 3600)
    with freezing_proxy(database_socket(migrated_database)) as proxy:
        far = Ledger(through(proxy, migrated_database))
        assert measured(shop, far)["ledger_up"] == {labels(): 1}
        proxy.freeze(new_ones_too=True)
        assert measured(shop, far)["ledger_up"] == {labels(): 0}
        far.close()


def test_scrapes_in_quick_succession_do_not_ask_the_ledger_again(shop: Service) -> None:
    measuring = Metrics(shop.settings, shop.ledger, shop.clock)
    first = measuring.text()
    shop.start()
    assert measuring.text() == first
    assert 'distributor_sends{state="preparing"} 0\n' in first
