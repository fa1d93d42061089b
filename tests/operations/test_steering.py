"""Steering a send: what an operator asks for, and what readers then get."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from distributor.engine.context import Context
from distributor.ledger import deliveries, tables
from distributor.ledger.database import Ledger
from distributor.ledger.decisions import Selection, part_counts
from distributor.ledger.states import DeliveryState, SendState
from distributor.operations import steering
from distributor.operations.errors import OperationError
from distributor.operations.lookup import WrongRequest, subscriber_query
from distributor.operations.steering import Decided, Resolution
from tests.support.service import Service, edition, service
from tests.support.waiting import eventually

READER = "reader@example.org"
ALL = Selection()


def named(subscriber: str) -> Selection:
    return Selection(subscriber=subscriber_query(subscriber))


@pytest.fixture
def shop(tmp_path: Path, sqlite_ledger: Ledger) -> Iterator[Service]:
    """Whose accounts leave what is unknown to operators."""
    hold = {f"DISTRIBUTOR_ACCOUNTS_{name}_ON_UNKNOWN": "hold" for name in ("RELAY", "BOT")}
    with service(tmp_path, sqlite_ledger, **hold) as running:
        running.subscribe("email", READER)
        running.subscribe("telegram", "@a_channel")
        yield running


@pytest.fixture
def shop_on_postgres(tmp_path: Path, postgres_ledger: Ledger) -> Iterator[Service]:
    with service(tmp_path, postgres_ledger) as running:
        running.subscribe("email", READER)
        yield running


def retry(shop: Service, send_id: int, selection: Selection = ALL) -> Decided:
    return steering.retry(shop.context, send_id, selection, operator="kim")


def resolve(shop: Service, send_id: int, as_: str, selection: Selection = ALL) -> Decided:
    return steering.resolve(shop.context, send_id, Resolution(as_), selection, operator="kim")


def lose_the_answer(shop: Service) -> int:
    """A send whose email may or may not have arrived; it has."""
    shop.platforms.misbehave("smtp", "drop_after", times=1)
    send_id = shop.start_and_plan(channels=["email"])
    shop.deliver(send_id)
    assert shop.counts(send_id) == {"unknown": 1}
    return send_id


def refuse(shop: Service) -> int:
    """A send that was refused, by a platform that is well again."""
    shop.platforms.misbehave("smtp", "reject", code="554", text="5.7.0 not today")
    send_id = shop.start_and_plan(channels=["email"])
    shop.deliver(send_id)
    shop.platforms.behave()
    assert shop.counts(send_id) == {"failed": 1}
    return send_id


class TestPauseAndResume:
    def test_nobody_gets_anything_meanwhile(self, shop: Service) -> None:
        send_id = shop.start_and_plan()
        assert steering.pause(shop.context, send_id).changed
        shop.deliver(send_id)
        assert not shop.platforms.received()
        assert shop.counts(send_id) == {"queued": 2}

    def test_everybody_gets_it_once_in_the_end(self, shop: Service) -> None:
        send_id = shop.start_and_plan()
        steering.pause(shop.context, send_id)
        shop.deliver(send_id)
        steering.resume(shop.context, send_id)
        shop.deliver(send_id)
        assert shop.counts(send_id) == {"sent": 2}
        assert shop.copies("smtp") == {READER: 1}

    def test_the_sweeper_hints_at_it_as_soon_as_it_goes_on(self, shop: Service) -> None:
        send_id = shop.start_and_plan()
        shop.sweep()
        steering.pause(shop.context, send_id)
        shop.hints.due.clear()
        shop.sweep()
        assert not shop.hints.due
        steering.resume(shop.context, send_id)
        shop.sweep()
        assert {batch.id for batch in shop.hints.due} == {one.id for one in shop.batches(send_id)}

    def test_a_send_that_is_not_planned_yet_waits_to_be(self, shop: Service) -> None:
        send_id = shop.start()
        steering.pause(shop.context, send_id)
        assert not shop.plan(send_id)
        steering.resume(shop.context, send_id)
        assert shop.plan(send_id)

    def test_doing_it_twice_changes_nothing(self, shop: Service) -> None:
        send_id = shop.start_and_plan()
        for steer, state in [
            (steering.pause, SendState.PAUSED),
            (steering.resume, SendState.SENDING),
        ]:
            assert steer(shop.context, send_id).changed
            again = steer(shop.context, send_id)
            assert (again.state, again.changed) == (state, False)

    def test_a_send_that_ended_while_it_was_paused_is_finished(self, shop: Service) -> None:
        send_id = shop.start_and_plan()
        shop.deliver(send_id)
        shop.move(send_id, SendState.PAUSED)
        assert steering.resume(shop.context, send_id).state is SendState.FINISHED


class TestCancel:
    def test_what_has_not_left_never_will(self, shop: Service) -> None:
        send_id = shop.start_and_plan()
        canceled = steering.cancel(shop.context, send_id)
        assert (canceled.canceled, canceled.in_hand) == (2, 0)
        shop.deliver(send_id)
        shop.sweep()
        assert not shop.platforms.received()
        assert shop.counts(send_id) == {"canceled": 2}

    def test_what_there_was_no_time_to_end_is_told_and_ends_with_the_next_sweep(
        self, shop: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(steering, "_LONGEST_ENDING_SECONDS", 0)
        monkeypatch.setattr(deliveries, "_BATCHES_AT_ONCE", 1)
        send_id = shop.start_and_plan()
        canceled = steering.cancel(shop.context, send_id)
        assert (canceled.canceled, canceled.waiting) == (1, 1)
        shop.deliver(send_id)
        assert not shop.platforms.received()
        shop.sweep()
        assert shop.counts(send_id) == {"canceled": 2}

    def test_a_large_send_ends_in_turns(
        self, shop: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deliveries, "_BATCHES_AT_ONCE", 1)
        canceled = steering.cancel(shop.context, shop.start_and_plan())
        assert (canceled.canceled, canceled.waiting) == (2, 0)

    def test_a_scheduled_send_never_begins(self, shop: Service) -> None:
        shop.clock.advance(minutes=1)
        at = shop.clock()
        shop.clock.advance(minutes=-1)
        send_id = shop.start(at=at)
        steering.cancel(shop.context, send_id)
        shop.clock.advance(hours=1)
        shop.sweep()
        assert shop.send(send_id).state is SendState.CANCELED

    def test_the_edition_may_be_sent_afterwards(self, shop: Service) -> None:
        steering.cancel(shop.context, shop.start_and_plan())
        send_id = shop.start_and_plan()
        shop.deliver(send_id)
        assert shop.counts(send_id) == {"sent": 2}

    def test_doing_it_twice_changes_nothing(self, shop: Service) -> None:
        send_id = shop.start_and_plan()
        assert steering.cancel(shop.context, send_id).changed
        again = steering.cancel(shop.context, send_id)
        assert (again.changed, again.canceled) == (False, 2)


class TestRetry:
    def test_what_failed_arrives_after_all(self, shop: Service) -> None:
        send_id = refuse(shop)
        decided = retry(shop, send_id)
        assert (decided.queued, decided.state) == (1, SendState.SENDING)
        shop.deliver(send_id)
        assert shop.copies("smtp") == {READER: 1}
        assert shop.send(send_id).state is SendState.FINISHED

    def test_it_has_as_many_tries_as_before(self, shop: Service) -> None:
        send_id = refuse(shop)
        retry(shop, send_id)
        shop.platforms.misbehave("smtp", "reject", code="451", text="4.3.0 later")
        shop.deliver(send_id)
        assert shop.delivery(send_id)["attempts"] == 1
        assert shop.counts(send_id) == {"retrying": 1}

    def test_what_expired_gets_a_new_deadline(self, shop: Service) -> None:
        send_id = shop.start_and_plan(channels=["email"])
        shop.clock.advance(hours=21)
        shop.sweep()
        assert shop.counts(send_id) == {"failed": 1}
        decided = retry(shop, send_id, Selection(codes=["expired"]))
        assert decided.deadline_at is not None
        assert decided.deadline_at > shop.clock()
        shop.sweep()
        shop.deliver(send_id)
        assert shop.counts(send_id) == {"sent": 1}

    def test_a_suppressed_address_is_told_and_stays_out(self, shop: Service) -> None:
        send_id = refuse(shop)
        shop.suppress(READER)
        decided = retry(shop, send_id)
        assert (decided.queued, decided.suppressed, decided.changed) == (0, 1, False)
        assert shop.send(send_id).state is SendState.FINISHED

    def test_a_paused_send_waits_until_it_is_resumed(self, shop: Service) -> None:
        send_id = refuse(shop)
        shop.move(send_id, SendState.PAUSED)
        assert retry(shop, send_id).state is SendState.PAUSED

    def test_doing_it_twice_changes_nothing(self, shop: Service) -> None:
        send_id = refuse(shop)
        retry(shop, send_id)
        assert not retry(shop, send_id).changed


class TestResolve:
    def test_taken_as_sent_nothing_more_leaves(self, shop: Service) -> None:
        send_id = lose_the_answer(shop)
        decided = resolve(shop, send_id, "sent")
        assert (decided.sent, decided.state) == (1, SendState.FINISHED)
        shop.deliver(send_id)
        assert shop.copies("smtp") == {READER: 1}
        assert shop.counts(send_id) == {"sent": 1}

    def test_sent_again_the_copy_has_the_same_message_id(self, shop: Service) -> None:
        send_id = lose_the_answer(shop)
        decided = resolve(shop, send_id, "resend")
        assert (decided.queued, decided.state) == (1, SendState.SENDING)
        shop.deliver(send_id)
        first, second = shop.platforms.received("smtp")
        assert first["message_id"] == second["message_id"]
        assert shop.send(send_id).state is SendState.FINISHED

    def test_taken_as_sent_a_long_post_goes_on_with_its_next_part(self, shop: Service) -> None:
        send_id = shop.start_and_plan(edition(items=12, words=300), channels=["telegram"])
        shop.platforms.misbehave("telegram", "drop_after", times=1)
        shop.deliver(send_id)
        shop.platforms.behave()
        assert resolve(shop, send_id, "sent").queued == 1
        shop.deliver(send_id)
        with shop.ledger.read() as connection:
            (parts,) = part_counts(connection, send_id).values()
        texts = [message["summary"] for message in shop.platforms.received("telegram")]
        assert len(texts) == len(set(texts)) == parts > 1
        assert shop.counts(send_id) == {"sent": 1}

    def test_only_the_named_subscriber(self, shop: Service) -> None:
        send_id = lose_the_answer(shop)
        assert not resolve(shop, send_id, "sent", named("other@example.org")).changed
        assert resolve(shop, send_id, "sent", named(READER.upper())).sent == 1

    def test_of_a_canceled_send_nothing_is_sent_again(self, shop: Service) -> None:
        send_id = lose_the_answer(shop)
        shop.move(send_id, SendState.CANCELED)
        with pytest.raises(OperationError, match=r"canceled: its deliveries cannot be resolved"):
            resolve(shop, send_id, "resend")
        assert resolve(shop, send_id, "sent").sent == 1

    def test_doing_it_twice_changes_nothing(self, shop: Service) -> None:
        send_id = lose_the_answer(shop)
        resolve(shop, send_id, "sent")
        assert not resolve(shop, send_id, "sent").changed


REFUSED: list[tuple[Callable[[Context, int], object], SendState, str]] = [
    (steering.pause, SendState.SCHEDULED, "distributor cancel 1"),
    (steering.pause, SendState.FINISHED, "every delivery has ended"),
    (steering.resume, SendState.CANCELED, "--again"),
    (steering.resume, SendState.SCHEDULED, "it has not started"),
    (steering.cancel, SendState.FINISHED, "nothing is left to cancel"),
    (
        lambda context, send_id: steering.retry(context, send_id, ALL, operator="kim"),
        SendState.HELD,
        "correct the edition",
    ),
]


@pytest.mark.parametrize(("ask", "state", "advice"), REFUSED)
def test_what_cannot_be_done_is_refused_with_what_can(
    shop: Service, ask: Callable[[Context, int], object], state: SendState, advice: str
) -> None:
    send_id = shop.start()
    shop.move(send_id, state)
    with pytest.raises(OperationError) as refused:
        ask(shop.context, send_id)
    assert f"send {send_id} is {state.value}: " in str(refused.value)
    assert advice in str(refused.value)


@pytest.mark.parametrize("steer", [steering.pause, steering.resume, steering.cancel])
def test_a_send_that_is_not_there_is_named(shop: Service, steer: Any) -> None:
    with pytest.raises(OperationError, match="there is no send 99"):
        steer(shop.context, 99)


def test_a_channel_that_is_not_there_is_named(shop: Service) -> None:
    with pytest.raises(
        WrongRequest, match="there is no channel 'post'; there are: dingtalk, email"
    ):
        retry(shop, shop.start_and_plan(), Selection(channels=["post"]))


def test_reasons_to_choose_from_are_counted(shop: Service) -> None:
    send_id = refuse(shop)
    named = steering.reasons(shop.context, send_id, DeliveryState.FAILED)
    assert named == "smtp-554-5.7.0 (1, email)"


def test_a_deadlock_with_a_worker_costs_only_time(shop_on_postgres: Service) -> None:
    shop = shop_on_postgres
    send_id = shop.start_and_plan()
    outcome: list[bool] = []

    def pause_and_resume() -> None:
        steering.pause(shop.context, send_id)
        outcome.append(steering.resume(shop.context, send_id).changed)

    operator = threading.Thread(target=pause_and_resume)
    with shop.ledger.write() as worker:
        # The database looks for deadlocks on behalf of who has waited longest: the operator.
        worker.exec_driver_sql("SET LOCAL deadlock_timeout = '1min'")
        worker.execute(sa.select(tables.batches).with_for_update())
        operator.start()
        eventually(lambda: _waits_for_a_lock(shop.ledger))
        worker.execute(sa.update(tables.sends).values(held_reason=None))
    operator.join()
    assert outcome == [True]


def _waits_for_a_lock(ledger: Ledger) -> bool:
    with ledger.read() as connection:
        query = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
        return bool(connection.exec_driver_sql(query).scalar())
