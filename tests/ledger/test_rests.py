"""Breakers and stops in the ledger: one worker of all tries again, and whoever rests is woken."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from distributor.ledger import batches, breakers, deliveries, rests, stops
from distributor.ledger.breakers import Breaker
from distributor.ledger.database import Ledger
from distributor.ledger.probed import PROBE_TIME
from distributor.ledger.rests import Rests
from distributor.ledger.stops import Stop
from tests.ledger.scene import AT, Scene, later, wait_until_blocked

ENDING = "@example.com"


def open_breaker(scene: Scene, *, at: datetime = AT, probe: datetime | None = None) -> Breaker:
    with scene.ledger.write() as c:
        return breakers.open_(c, "main", code="down", reply="down", at=at, probe=probe)


def open_stop(scene: Scene, *, at: datetime = AT, probe: datetime | None = None) -> Stop:
    with scene.ledger.write() as c:
        return stops.open_(c, "main", ENDING, code="no", reply="no", at=at, probe=probe)


def probe_breaker(scene: Scene, at: datetime) -> datetime | None:
    with scene.ledger.write() as c:
        return breakers.claim_probe(c, "main", at)


def probe_stop(scene: Scene, at: datetime) -> datetime | None:
    with scene.ledger.write() as c:
        return stops.claim_probe(c, "main", ENDING, at)


def test_an_account_on_which_nothing_rests(scene: Scene) -> None:
    with scene.ledger.read() as c:
        assert rests.of_account(c, "main") == Rests()


def test_what_rests_on_an_account(scene: Scene) -> None:
    breaker, stop = open_breaker(scene), open_stop(scene)
    with scene.ledger.read() as c:
        assert rests.of_account(c, "main") == Rests(breaker, (stop,))
        assert rests.of_account(c, "another") == Rests()


class TestBreaker:
    def test_it_rests_twice_as_long_each_time_up_to_five_minutes(self, scene: Scene) -> None:
        at, rests = AT, []
        for _ in range(8):
            until = open_breaker(scene, at=at).open_until
            rests.append((until - at).total_seconds())
            at = until
        assert rests == [5, 10, 20, 40, 80, 160, 300, 300]

    def test_of_many_workers_one_probes(self, scene: Scene) -> None:
        over = open_breaker(scene).open_until
        with ThreadPoolExecutor(8) as pool:
            claims = list(pool.map(lambda _: probe_breaker(scene, over), range(16)))
        assert [claim for claim in claims if claim is not None] == [over + PROBE_TIME]

    def test_nobody_probes_before_the_rest_is_over_or_when_it_is_closed(self, scene: Scene) -> None:
        assert probe_breaker(scene, AT) is None
        open_breaker(scene)
        assert probe_breaker(scene, AT) is None

    def test_only_the_probe_makes_it_longer(self, scene: Scene) -> None:
        opened = open_breaker(scene)
        probe = probe_breaker(scene, opened.open_until)
        straggler = open_breaker(scene, at=opened.open_until)
        assert (straggler.open_until, straggler.times) == (probe, 1)
        again = open_breaker(scene, at=opened.open_until, probe=probe)
        assert again.open_until == opened.open_until + 2 * breakers.FIRST_REST

    def test_a_prober_that_comes_too_late_decides_nothing(self, scene: Scene) -> None:
        late = probe_breaker(scene, open_breaker(scene).open_until)
        assert late is not None
        following = probe_breaker(scene, late)
        assert open_breaker(scene, at=late, probe=late).open_until == following

    def test_who_rests_until_the_probe_is_over_is_due_again_when_it_got_through(
        self, scene: Scene
    ) -> None:
        (batch_id,) = scene.batches(scene.sending("a@example.com"))
        over = open_breaker(scene).open_until
        probe = probe_breaker(scene, over)
        assert probe is not None
        with scene.ledger.write() as c:
            batches.rest(c, "main", probe)
            assert breakers.close(c, "main", over)
        assert scene.batch(batch_id).due_at == over

    def test_who_rests_until_the_probe_is_over_rests_as_long_as_the_account_does(
        self, scene: Scene
    ) -> None:
        (batch_id,) = scene.batches(scene.sending("a@example.com"))
        over = open_breaker(scene).open_until
        probe = probe_breaker(scene, over)
        assert probe is not None
        with scene.ledger.write() as c:
            batches.rest(c, "main", probe)
        again = open_breaker(scene, at=over, probe=probe)
        assert scene.batch(batch_id).due_at == again.open_until < probe

    def test_who_is_just_being_put_to_rest_is_woken_too(self, postgres_ledger: Ledger) -> None:
        """Only PostgreSQL lets another one close it meanwhile."""
        scene = Scene(postgres_ledger)
        (batch_id,) = scene.batches(scene.sending("a@example.com"))
        open_breaker(scene)

        def close() -> None:
            with scene.ledger.write() as c:
                breakers.close(c, "main", later(1))

        with ThreadPoolExecutor(1) as pool:
            with scene.ledger.write() as c:
                held = breakers.find_locked(c, "main")
                assert held is not None
                closing = pool.submit(close)
                wait_until_blocked(scene.ledger)
                batches.rest(c, "main", held.open_until)
            closing.result(10)
        assert scene.batch(batch_id).due_at == later(1)


class TestStop:
    def test_what_waits_on_another_account_waits_on(self, scene: Scene) -> None:
        claim = scene.claim_first(scene.sending("a@example.com"))
        (waiting,) = scene.due(claim)
        with scene.ledger.write() as c:
            deliveries.postpone(c, [waiting.id], later(60), AT)
            deliveries.end_wait(c, "another", later(60), AT)
        assert scene.delivery(waiting.id).next_attempt_at == later(60)

    def test_it_waits_twice_as_long_each_time_up_to_half_an_hour(self, scene: Scene) -> None:
        at, waits = AT, []
        for _ in range(7):
            until = open_stop(scene, at=at).open_until
            waits.append((until - at).total_seconds() / 60)
            at = until
        assert waits == [1, 2, 4, 8, 16, 30, 30]

    def test_of_many_workers_one_tries_again(self, scene: Scene) -> None:
        over = open_stop(scene).open_until
        with ThreadPoolExecutor(8) as pool:
            claims = list(pool.map(lambda _: probe_stop(scene, over), range(16)))
        assert [claim for claim in claims if claim is not None] == [over + PROBE_TIME]

    def test_only_the_refusal_of_that_one_makes_it_longer(self, scene: Scene) -> None:
        stopped = open_stop(scene)
        probe = probe_stop(scene, stopped.open_until)
        straggler = open_stop(scene, at=stopped.open_until)
        assert (straggler.open_until, straggler.times) == (probe, 1)
        again = open_stop(scene, at=stopped.open_until, probe=probe)
        assert again.open_until == stopped.open_until + 2 * stops.FIRST_REST

    def test_lifted_it_leaves_nobody_waiting_but_those_who_wait_for_something_else(
        self, scene: Scene
    ) -> None:
        send_id = scene.sending("a@example.com", "b@example.com", batch_size=1)
        stopped, other = scene.deliveries(send_id)
        until = open_stop(scene).open_until
        with scene.ledger.write() as c:
            deliveries.postpone(c, [stopped.id], until, AT)
            deliveries.postpone(c, [other.id], later(7), AT)
        for batch_id in scene.batches(send_id):
            scene.release(scene.claim(batch_id))
        with scene.ledger.write() as c:
            assert stops.lift(c, "main", ENDING, later(1))
        assert [one.next_attempt_at for one in scene.deliveries(send_id)] == [later(1), later(7)]
        due = [scene.batch(batch_id).due_at for batch_id in scene.batches(send_id)]
        assert due == [later(1), later(7)]

    @pytest.mark.parametrize("to_probe", [False, True])
    def test_who_is_just_being_postponed_goes_on_too(
        self, postgres_ledger: Ledger, to_probe: bool
    ) -> None:
        """Only PostgreSQL lets another one lift it meanwhile."""
        scene = Scene(postgres_ledger)
        send_id = scene.sending("a@example.com")
        (delivery,) = scene.deliveries(send_id)
        open_stop(scene)

        def lift() -> None:
            with scene.ledger.write() as c:
                stops.lift(c, "main", ENDING, later(1))

        with ThreadPoolExecutor(1) as pool:
            with scene.ledger.write() as c:
                (held,) = stops.lock(c, "main", {ENDING}, to_probe=to_probe)
                lifting = pool.submit(lift)
                wait_until_blocked(scene.ledger)
                deliveries.postpone(c, [delivery.id], held.open_until, AT)
            lifting.result(10)
        assert scene.delivery(delivery.id).next_attempt_at == later(1)
