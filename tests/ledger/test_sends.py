from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy.exc import IntegrityError

from distributor.ledger import digests, sends
from distributor.ledger.database import Ledger
from distributor.ledger.deliveries import Change
from distributor.ledger.sends import Audience
from distributor.ledger.states import OPEN_STATES, DeliveryState, SendState
from tests.ledger.scene import AT, DEADLINE, Scene, later


def already_sent(scene: Scene, digest: int, *audiences: Audience) -> dict[Audience, int]:
    with scene.ledger.read() as c:
        return sends.already_sent(c, digest, audiences)


def close(scene: Scene, send_id: int) -> bool:
    with scene.ledger.write() as c:
        return sends.close_if_done(c, send_id, later(60))


class TestDigests:
    def test_a_revision_is_stored_once(self, scene: Scene) -> None:
        assert scene.digest("today") == scene.digest("today")
        assert scene.digest("today") != scene.digest("tomorrow")

    def test_its_source_is_kept_as_it_was_read(self, scene: Scene) -> None:
        digest_id = scene.digest("今天\r\n")
        with scene.ledger.read() as c:
            assert digests.get(c, digest_id).source == "今天\r\n".encode()


class TestOnceOnly:
    def test_a_revision_that_was_sent_to_a_list_is_found_with_its_send(self, scene: Scene) -> None:
        daily, digest = scene.mailing_list("daily"), scene.digest()
        send_id = scene.create(daily, digest=digest)
        assert already_sent(scene, digest, Audience(daily, "email")) == {
            Audience(daily, "email"): send_id
        }

    def test_another_revision_list_or_channel_is_free(self, scene: Scene) -> None:
        daily, weekly, digest = (
            scene.mailing_list("daily"),
            scene.mailing_list("weekly"),
            scene.digest(),
        )
        scene.create(daily, digest=digest)
        assert not already_sent(scene, scene.digest("tomorrow"), Audience(daily, "email"))
        assert not already_sent(scene, digest, Audience(weekly, "email"))
        assert not already_sent(scene, digest, Audience(daily, "telegram"))

    def test_sending_it_twice_is_refused_by_the_database(self, scene: Scene) -> None:
        daily, digest = scene.mailing_list("daily"), scene.digest()
        scene.create(daily, digest=digest)
        with pytest.raises(IntegrityError):
            scene.create(daily, digest=digest)

    def test_sending_again_is_a_run_of_its_own(self, scene: Scene) -> None:
        daily, digest = scene.mailing_list("daily"), scene.digest()
        scene.create(daily, digest=digest)
        second = scene.create(daily, digest=digest, again=True)
        audience = Audience(daily, "email")
        assert already_sent(scene, digest, audience) == {audience: second}

    def test_a_held_send_leaves_its_revision_free(self, scene: Scene) -> None:
        daily, digest = scene.mailing_list("daily"), scene.digest()
        send_id = scene.create(daily, digest=digest)
        with scene.ledger.write() as c:
            sends.hold(c, send_id, "placeholder links")
        assert not already_sent(scene, digest, Audience(daily, "email"))
        scene.create(daily, digest=digest)

    def test_a_test_send_leaves_its_revision_free(self, scene: Scene) -> None:
        daily, digest = scene.mailing_list("daily"), scene.digest()
        scene.create(digest=digest, targets=[scene.subscribe("me@example.com", "daily")])
        assert not already_sent(scene, digest, Audience(daily, "email"))

    def test_of_programs_that_start_the_same_send_at_once_one_wins(
        self, postgres_ledger: Ledger
    ) -> None:
        """Only PostgreSQL lets both look before either has written."""
        scene = Scene(postgres_ledger)
        daily, digest = scene.mailing_list("daily"), scene.digest()
        both_have_looked = Barrier(2)

        def start(_: int) -> bool:
            with scene.ledger.write() as c:
                assert not sends.already_sent(c, digest, [Audience(daily, "email")])
                both_have_looked.wait(10)
                try:
                    sends.create(
                        c,
                        digest_id=digest,
                        state=SendState.PREPARING,
                        audiences=[Audience(daily, "email")],
                        at=AT,
                        deadline_at=DEADLINE,
                    )
                except IntegrityError:
                    c.rollback()
                    return False
            return True

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(start, range(2))) == [False, True]


class TestFinding:
    def test_a_send_tells_its_digest_and_lists(self, scene: Scene) -> None:
        send_id = scene.create(scene.mailing_list("weekly"), scene.mailing_list("daily"))
        with scene.ledger.read() as c:
            send = sends.find(c, send_id)
            assert sends.list_names(c, send_id) == ("daily", "weekly")
        assert send is not None
        assert (send.title, send.state, send.intended) == ("今日新闻", SendState.PREPARING, None)
        assert (send.created_at, send.deadline_at, send.is_test) == (AT, DEADLINE, False)

    def test_one_that_does_not_exist(self, scene: Scene) -> None:
        with scene.ledger.read() as c:
            assert sends.find(c, 1) is None

    def test_the_latest_come_first(self, scene: Scene) -> None:
        daily = scene.mailing_list("daily")
        ids = [scene.create(daily, again=True) for _ in range(3)]
        with scene.ledger.read() as c:
            assert [send.id for send in sends.latest(c, 2)] == ids[:0:-1]

    def test_those_in_a_state_oldest_first(self, scene: Scene) -> None:
        daily = scene.mailing_list("daily")
        first, other, last = (scene.create(daily, again=True) for _ in range(3))
        scene.set_state(other, SendState.SENDING)
        with scene.ledger.read() as c:
            assert sends.in_state(c, SendState.PREPARING) == (first, last)


class TestMovingOn:
    def test_of_many_planners_one_begins(self, scene: Scene) -> None:
        send_id = scene.create(scene.mailing_list("daily"))

        def begin(_: int) -> bool:
            with scene.ledger.write() as c:
                return sends.begin(c, send_id, at=AT)

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(begin, range(8))) == 1
        assert scene.send_state(send_id) is SendState.SENDING

    def test_a_scheduled_send_is_released_when_its_time_has_come(self, scene: Scene) -> None:
        daily = scene.mailing_list("daily")
        now, tomorrow = (
            scene.create(daily, state=SendState.SCHEDULED, scheduled_for=at, again=True)
            for at in (AT, later(86400))
        )
        with scene.ledger.write() as c:
            assert sends.release_scheduled(c, AT) == (now,)
            assert sends.release_scheduled(c, AT) == ()
        assert scene.send_state(now) is SendState.PREPARING
        assert scene.send_state(tomorrow) is SendState.SCHEDULED

    def test_a_held_send_keeps_its_reason(self, scene: Scene) -> None:
        send_id = scene.create(scene.mailing_list("daily"))
        with scene.ledger.write() as c:
            sends.hold(c, send_id, "placeholder links")
            send = sends.find(c, send_id)
        assert send is not None
        assert (send.state, send.held_reason) == (SendState.HELD, "placeholder links")
        with scene.ledger.read() as c:
            assert sends.held_before(c, send.digest_id) == send_id

    @pytest.mark.parametrize(
        "state", [SendState.SENDING, SendState.PAUSED, SendState.FINISHED, SendState.CANCELED]
    )
    def test_what_was_started_or_canceled_is_not_held(self, scene: Scene, state: SendState) -> None:
        daily, digest = scene.mailing_list("daily"), scene.digest()
        send_id = scene.create(daily, digest=digest, state=state)
        with scene.ledger.write() as c:
            sends.hold(c, send_id, "too late")
        assert scene.send_state(send_id) is state
        assert already_sent(scene, digest, Audience(daily, "email"))


class TestFinishing:
    def test_a_send_ends_when_its_last_delivery_has(self, scene: Scene) -> None:
        send_id = scene.sending("a@example.com", "b@example.com")
        scene.deliver(scene.claim_first(send_id))
        assert close(scene, send_id)
        with scene.ledger.read() as c:
            send = sends.find(c, send_id)
        assert send is not None
        assert (send.state, send.finished_at) == (SendState.FINISHED, later(60))

    def test_it_ends_once(self, scene: Scene) -> None:
        send_id = scene.sending()
        assert close(scene, send_id)
        assert not close(scene, send_id)

    @pytest.mark.parametrize("state", OPEN_STATES)
    def test_it_does_not_end_while_one_delivery_is_open(
        self, scene: Scene, state: DeliveryState
    ) -> None:
        send_id = scene.sending("a@example.com", "b@example.com", "c@example.com")
        claim = scene.claim_first(send_id)
        first, second, third = (pending.id for pending in scene.due(claim))
        for ended in (first, second):
            scene.take(claim, ended)
            scene.record(claim, ended, Change(DeliveryState.FAILED, 1))
        if state is not DeliveryState.QUEUED:
            scene.take(claim, third)
        if state is DeliveryState.RETRYING:
            scene.record(claim, third, Change(state, 1, next_attempt_at=later(60)))
        assert scene.books(send_id)[state] == 1
        assert not close(scene, send_id)

    @pytest.mark.parametrize("miscounted", [-1, 1])
    def test_it_does_not_end_when_the_books_do_not_balance(
        self, scene: Scene, miscounted: int
    ) -> None:
        send_id = scene.sending("a@example.com")
        scene.deliver(scene.claim_first(send_id))
        with scene.ledger.write() as c:
            sends.set_intended(c, send_id, 1 + miscounted)
        assert not scene.books(send_id).balanced
        assert not close(scene, send_id)

    def test_it_does_not_end_before_its_audience_was_frozen(self, scene: Scene) -> None:
        send_id = scene.create(scene.mailing_list("daily"), state=SendState.SENDING)
        assert not close(scene, send_id)

    def test_a_paused_one_ends_when_nothing_is_left_to_hold(self, scene: Scene) -> None:
        send_id = scene.sending("a@example.com")
        scene.deliver(scene.claim_first(send_id))
        scene.set_state(send_id, SendState.PAUSED)
        assert close(scene, send_id)

    @pytest.mark.parametrize(
        "state", sorted(set(SendState) - {SendState.SENDING, SendState.PAUSED})
    )
    def test_only_a_send_that_is_under_way_ends(self, scene: Scene, state: SendState) -> None:
        send_id = scene.sending()
        scene.set_state(send_id, state)
        assert not close(scene, send_id)
        assert scene.send_state(send_id) is state
