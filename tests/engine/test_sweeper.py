"""The sweeper: puts to work what is due, ends what is over, and closes the books."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from distributor.engine import sweeper
from distributor.engine.sweeper import HINT_LIFE_SECONDS
from distributor.ledger import batches, deliveries, sends, tables
from distributor.ledger.database import Ledger, LedgerUnavailable
from distributor.ledger.states import DeliveryState, SendState
from distributor.operations import steering
from tests.support.service import Service, service

READERS = [f"reader-{number}@example.org" for number in range(3)]
ELSEWHERE = "another-host/0/1/1"


@pytest.fixture
def shop(shop_on_each: Service) -> Service:
    """With readers on the list. Every test here runs on both databases."""
    shop_on_each.subscribe("email", *READERS)
    return shop_on_each


@pytest.fixture(params=["hold", "resend"])
def policy(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def shop_with_policy(tmp_path: Path, ledger: Ledger, policy: str) -> Iterator[Service]:
    own = {"DISTRIBUTOR_ACCOUNTS_RELAY_ON_UNKNOWN": policy}
    with service(tmp_path, ledger, **own) as running:
        running.subscribe("email", *READERS)
        yield running


def lose_a_worker(shop: Service, send_id: int, worker: str) -> str:
    """A worker claims the only batch, hands over its first message, and is lost.

    Returns the address that the message went to.
    """
    (batch,) = shop.batches(send_id)
    with shop.ledger.write() as connection:
        claim = batches.claim(
            connection, batch.id, worker=worker, at=shop.clock(), lease=shop.context.leases.lease
        )
        assert claim is not None
        first, *_ = deliveries.due(connection, claim, at=shop.clock(), limit=1)
        assert deliveries.take(connection, claim, [first.id], shop.clock())
    return first.address


def hinted(shop: Service) -> list[int]:
    """Batches hinted since the last look."""
    found = [batch.id for batch in shop.hints.due]
    shop.hints.due.clear()
    return found


def test_a_batch_that_is_due_is_hinted_with_its_channel(shop: Service) -> None:
    send_id = shop.start_and_plan()
    shop.sweep()
    assert [(due.id, due.channel) for due in shop.hints.due] == [
        (batch.id, "email") for batch in shop.batches(send_id)
    ]


def test_a_hint_is_given_once_and_again_only_when_it_may_be_lost(shop: Service) -> None:
    send_id = shop.start_and_plan()
    ids = [batch.id for batch in shop.batches(send_id)]
    seen = []
    for seconds in (0, 1, HINT_LIFE_SECONDS - 1, 1):
        shop.clock.advance(seconds=seconds)
        shop.sweep()
        seen.append(hinted(shop))
    assert seen == [ids, [], [], ids]


def test_a_batch_that_somebody_works_on_is_not_hinted(shop: Service) -> None:
    send_id = shop.start_and_plan()
    lose_a_worker(shop, send_id, worker=ELSEWHERE)
    shop.sweep()
    assert hinted(shop) == []


def test_a_retry_is_hinted_when_it_is_due_and_not_before(shop: Service) -> None:
    shop.platforms.misbehave("smtp", "reject", code=450, text="4.2.1 Busy")
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    (batch,) = shop.batches(send_id)
    shop.clock.advance_to(batch.due_at - timedelta(microseconds=1))
    shop.sweep()
    assert hinted(shop) == []
    shop.clock.advance_to(batch.due_at)
    shop.sweep()
    assert hinted(shop) == [batch.id]


@pytest.mark.parametrize("state", [SendState.PAUSED, SendState.CANCELED])
def test_a_send_that_an_operator_stopped_is_not_hinted(shop: Service, state: SendState) -> None:
    send_id = shop.start_and_plan()
    shop.move(send_id, state)
    shop.sweep()
    assert hinted(shop) == []


def test_a_send_whose_planning_was_lost_is_planned_again(shop: Service) -> None:
    send_id = shop.start()
    shop.hints.prepared.clear()
    shop.sweep()
    assert shop.hints.prepared == [send_id]


def test_the_batch_of_another_machine_is_free_when_its_lease_has_run_out(shop: Service) -> None:
    send_id = shop.start_and_plan()
    lose_a_worker(shop, send_id, worker=ELSEWHERE)
    (batch,) = shop.batches(send_id)
    shop.clock.advance_to(batch.leased_until)
    shop.sweep()
    assert hinted(shop) == []
    shop.clock.advance(seconds=1)
    shop.sweep()
    assert hinted(shop) == [batch.id]


def test_a_hint_that_a_lost_worker_took_up_is_given_again_when_its_lease_has_run_out(
    shop: Service,
) -> None:
    send_id = shop.start_and_plan()
    shop.sweep()
    taken_up = hinted(shop)
    lose_a_worker(shop, send_id, worker=ELSEWHERE)
    with shop.ledger.write() as connection:
        soon = shop.clock() + timedelta(seconds=HINT_LIFE_SECONDS / 2)
        connection.execute(sa.update(tables.batches).values(leased_until=soon))
    seen = []
    for seconds in (HINT_LIFE_SECONDS / 2, 1, 1):
        shop.clock.advance(seconds=seconds)
        shop.sweep()
        seen.append(hinted(shop))
    assert seen == [[], taken_up, []]


def test_what_a_lost_worker_had_handed_over_follows_the_policy(
    shop_with_policy: Service, policy: str
) -> None:
    shop = shop_with_policy
    send_id = shop.start_and_plan()
    orphan = lose_a_worker(shop, send_id, worker=ELSEWHERE)
    shop.clock.advance(seconds=shop.settings.sending.lease_seconds + 1)
    shop.deliver(send_id)
    expected = {"hold": {"sent": 2, "unknown": 1}, "resend": {"sent": 3}}
    assert shop.counts(send_id) == expected[policy]
    (entry,) = [entry for entry in shop.log(send_id) if entry.code == "worker-lost"]
    assert (entry.address, entry.outcome) == (orphan, DeliveryState.UNKNOWN)
    assert shop.send(send_id).state is SendState.FINISHED


def test_of_a_canceled_send_what_a_lost_worker_had_handed_over_is_settled(
    shop_with_policy: Service,
) -> None:
    shop = shop_with_policy
    send_id = shop.start_and_plan()
    orphan = lose_a_worker(shop, send_id, worker=ELSEWHERE)
    steering.cancel(shop.context, send_id)
    shop.clock.advance(seconds=shop.settings.sending.lease_seconds + 1)
    shop.sweep()
    assert hinted(shop) == [batch.id for batch in shop.batches(send_id)]
    shop.deliver(send_id)
    shop.sweep()
    assert shop.deliveries(send_id)[orphan]["state"] is DeliveryState.UNKNOWN
    assert shop.counts(send_id) == {"unknown": 1, "canceled": 2}
    assert shop.platforms.received() == []
    assert hinted(shop) == []


def test_a_scheduled_send_begins_at_its_time(shop: Service) -> None:
    send_id = shop.start(at=shop.clock() + timedelta(hours=2))
    shop.clock.advance(hours=1)
    shop.sweep()
    assert shop.send(send_id).state is SendState.SCHEDULED
    assert shop.hints.prepared == []
    shop.clock.advance(hours=1)
    shop.sweep()
    assert shop.send(send_id).state is SendState.PREPARING
    assert shop.hints.prepared == [send_id]


def test_what_is_left_at_the_deadline_ends_as_failed_and_the_send_is_finished(
    shop: Service,
) -> None:
    shop.platforms.misbehave("smtp", "reject", match=READERS[0], code=450, text="4.2.1", times=99)
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    shop.clock.advance_to(shop.send(send_id).deadline_at)
    shop.sweep()
    late = shop.deliveries(send_id)[READERS[0]]
    assert (late["state"], late["code"]) == ("failed", "expired")
    assert shop.counts(send_id) == {"sent": 2, "failed": 1}
    assert shop.send(send_id).state is SendState.FINISHED


def test_a_paused_send_is_finished_at_its_deadline_too(shop: Service) -> None:
    send_id = shop.start_and_plan()
    shop.move(send_id, SendState.PAUSED)
    shop.clock.advance_to(shop.send(send_id).deadline_at)
    shop.sweep()
    assert shop.counts(send_id) == {"failed": 3}
    assert shop.send(send_id).state is SendState.FINISHED


def test_a_paused_send_with_work_left_stays_paused(shop: Service) -> None:
    send_id = shop.start_and_plan()
    shop.move(send_id, SendState.PAUSED)
    shop.sweep()
    assert shop.send(send_id).state is SendState.PAUSED


def test_nothing_leaves_after_the_deadline_though_nobody_sweeps(shop: Service) -> None:
    send_id = shop.start_and_plan()
    shop.clock.advance_to(shop.send(send_id).deadline_at)
    shop.deliver(send_id)
    assert shop.counts(send_id) == {"queued": 3}


def test_a_send_runs_until_its_deadline(shop: Service) -> None:
    send_id = shop.start_and_plan()
    shop.clock.advance_to(shop.send(send_id).deadline_at - timedelta(seconds=1))
    shop.sweep()
    assert shop.counts(send_id) == {"queued": 3}


def test_deliveries_are_left_alone_while_no_send_is_late_or_canceled(shop: Service) -> None:
    """Of a million, PostgreSQL would read each one to find that none is."""
    shop.start_and_plan()
    updates = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE deliveries"):
            updates.append(statement)

    sa.event.listen(shop.ledger.engine, "before_cursor_execute", note)
    shop.sweep()
    assert updates == []


def test_a_send_whose_last_delivery_has_ended_is_finished(shop: Service) -> None:
    send_id = shop.start_and_plan()
    with shop.ledger.write() as connection:
        # As a worker leaves it that is lost right after its last message.
        connection.execute(sa.update(tables.deliveries).values(state=DeliveryState.SENT))
    shop.sweep()
    finished = shop.send(send_id)
    assert (finished.state, finished.finished_at) == (SendState.FINISHED, shop.clock())


def test_a_send_is_not_finished_while_a_delivery_is_missing(shop: Service) -> None:
    send_id = shop.start_and_plan()
    with shop.ledger.write() as connection:
        connection.execute(sa.update(tables.deliveries).values(state=DeliveryState.SENT))
        connection.execute(sa.update(tables.sends).values(intended=4))
    shop.sweep()
    assert shop.send(send_id).state is SendState.SENDING


def test_sweeping_twice_does_what_sweeping_once_does(shop: Service) -> None:
    send_id = shop.start_and_plan()
    shop.sweep()
    before = (shop.send(send_id), shop.deliveries(send_id), shop.batches(send_id))
    shop.hints.due.clear()
    shop.another_process().sweep()
    shop.sweep()
    assert (shop.send(send_id), shop.deliveries(send_id), shop.batches(send_id)) == before
    assert hinted(shop) == []


@pytest.mark.usefixtures("late")
class TestAStepThatFails:
    @pytest.fixture
    def late(self, shop: Service, monkeypatch: pytest.MonkeyPatch) -> int:
        """A send past its deadline whose deliveries cannot be ended."""
        send_id = shop.start_and_plan()
        shop.clock.advance_to(shop.send(send_id).deadline_at)

        def fail(connection: sa.Connection, at: datetime, *, after: int) -> None:
            connection.exec_driver_sql("SELECT of_nothing")

        monkeypatch.setattr(deliveries, "expire", fail)
        return send_id

    def test_others_are_hinted(self, shop: Service) -> None:
        shop.subscribe("email", *READERS, to="second")
        other = shop.start_and_plan(to="second")
        shop.sweep()
        assert {batch.id for batch in shop.batches(other)} <= set(hinted(shop))

    def test_others_are_ended_and_closed(self, shop: Service) -> None:
        shop.subscribe("email", READERS[0], to="second")
        shop.subscribe("email", READERS[1], to="third")
        delivered, canceled = (shop.start_and_plan(to=name) for name in ("second", "third"))
        shop.deliver(delivered)
        shop.move(canceled, SendState.CANCELED)
        shop.sweep()
        assert shop.send(delivered).state is SendState.FINISHED
        assert shop.counts(canceled) == {"canceled": 1}

    def test_it_is_logged(self, shop: Service, caplog: pytest.LogCaptureFixture) -> None:
        shop.sweep()
        (logged,) = [one for one in caplog.records if one.levelname == "ERROR"]
        assert "could not end what is past its send's deadline" in logged.getMessage()
        assert logged.exc_info is not None


def test_a_send_that_cannot_be_closed_keeps_no_other_from_it(
    shop: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.subscribe("email", READERS[0], to="second")
    broken, other = shop.start_and_plan(), shop.start_and_plan(to="second")
    with shop.ledger.write() as connection:
        connection.execute(sa.update(tables.deliveries).values(state=DeliveryState.SENT))
    close = sends.close_if_done

    def fail_once(connection: sa.Connection, send_id: int, at: datetime) -> bool:
        if send_id == broken:
            connection.exec_driver_sql("SELECT of_nothing")
        return close(connection, send_id, at)

    monkeypatch.setattr(sends, "close_if_done", fail_once)
    shop.sweep()
    assert shop.send(other).state is SendState.FINISHED


def test_a_ledger_that_cannot_be_reached_ends_the_sweep(
    shop: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise LedgerUnavailable("it is down")

    monkeypatch.setattr(shop.ledger, "write", fail)
    with pytest.raises(LedgerUnavailable):
        shop.sweep()


@pytest.mark.parametrize("over", ["late", "canceled"])
def test_what_is_over_is_ended_in_transactions_of_a_few_batches(
    shop: Service, monkeypatch: pytest.MonkeyPatch, over: str
) -> None:
    """One that is cut or rolled back takes the others along with nothing."""
    monkeypatch.setattr(deliveries, "_BATCHES_AT_ONCE", 1)
    small = {"sending": shop.settings.sending.model_copy(update={"batch_size": 1})}
    shop = shop.another_process(settings=shop.settings.model_copy(update=small))
    send_id = shop.start_and_plan()
    if over == "canceled":
        shop.move(send_id, SendState.CANCELED)
    shop.clock.advance_to(shop.send(send_id).deadline_at)
    end, calls = deliveries.end_waiting, []

    def fail_at_last(connection: sa.Connection, *args: Any) -> int:
        calls.append(args)
        if len(calls) == len(READERS):
            connection.exec_driver_sql("SELECT of_nothing")
        return end(connection, *args)

    monkeypatch.setattr(deliveries, "end_waiting", fail_at_last)
    shop.sweep()
    assert shop.counts(send_id)["queued"] == 1
    shop.sweep()
    assert "queued" not in shop.counts(send_id)


@pytest.mark.parametrize("over", ["late", "canceled"])
def test_a_large_send_that_is_over_does_not_keep_others_from_their_hints(
    shop: Service, monkeypatch: pytest.MonkeyPatch, over: str
) -> None:
    monkeypatch.setattr(sweeper, "_LONGEST_ENDING_SECONDS", 0)
    send_id = shop.start_and_plan()
    if over == "canceled":
        shop.move(send_id, SendState.CANCELED)
    shop.clock.advance_to(shop.send(send_id).deadline_at)
    shop.subscribe("email", *READERS, to="second")
    other = shop.start_and_plan(to="second")
    shop.sweep()
    assert shop.counts(send_id) == {"queued": 3}
    assert {batch.id for batch in shop.batches(other)} <= set(hinted(shop))
