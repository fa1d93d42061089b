from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from distributor.ledger import batches, hinting
from distributor.ledger.batches import Claim
from distributor.ledger.database import Ledger
from distributor.ledger.deliveries import Change
from distributor.ledger.hinting import DueBatch
from distributor.ledger.states import DeliveryState, SendState
from tests.ledger.scene import AT, LEASE, Scene, later

AFTER_THE_LEASE = AT + LEASE * 2


def hints(
    scene: Scene, *, seconds: float = 0, again_after: float = 30, limit: int = 100
) -> list[int]:
    with scene.ledger.write() as c:
        due = hinting.to_hint(c, at=later(seconds), again_after_seconds=again_after, limit=limit)
    return sorted(batch.id for batch in due)


@pytest.fixture
def send_id(scene: Scene) -> int:
    """A send of three batches with one delivery each."""
    return scene.sending("a@example.com", "b@example.com", "c@example.com", batch_size=1)


@pytest.fixture
def batch_id(scene: Scene, send_id: int) -> int:
    return scene.batches(send_id)[0]


class TestClaiming:
    def test_a_claim_tells_what_is_to_be_done(
        self, scene: Scene, send_id: int, batch_id: int
    ) -> None:
        claim = scene.claim(batch_id, worker="worker-7")
        assert (claim.send_id, claim.channel, claim.account) == (send_id, "email", "main")
        assert len(claim.revision) == 64
        held = scene.batch(batch_id)
        assert (held.leased_by, held.leased_until) == ("worker-7", AT + LEASE)

    def test_a_batch_that_is_leased_cannot_be_claimed(self, scene: Scene, batch_id: int) -> None:
        scene.claim(batch_id)
        assert scene.try_claim(batch_id, worker="worker-2") is None

    def test_of_many_workers_one_gets_it(self, scene: Scene, batch_id: int) -> None:
        with ThreadPoolExecutor(8) as pool:
            claims = list(pool.map(lambda _: scene.try_claim(batch_id), range(16)))
        assert sum(claim is not None for claim in claims) == 1

    def test_a_lease_that_ran_out_can_be_claimed(self, scene: Scene, batch_id: int) -> None:
        first = scene.claim(batch_id)
        assert scene.try_claim(batch_id, at=AT + LEASE) is None
        second = scene.claim(batch_id, at=AFTER_THE_LEASE)
        assert second.token != first.token

    def test_a_batch_that_is_not_due_cannot_be_claimed(self, scene: Scene, batch_id: int) -> None:
        assert scene.try_claim(batch_id, at=later(-1)) is None

    def test_a_batch_that_has_ended_cannot_be_claimed(self, scene: Scene, batch_id: int) -> None:
        claim = scene.claim(batch_id)
        scene.deliver(claim)
        scene.release(claim)
        assert scene.try_claim(batch_id, at=later(3600)) is None

    @pytest.mark.parametrize("state", [one for one in SendState if one is not SendState.SENDING])
    def test_batches_of_a_send_that_is_not_under_way_cannot_be_claimed(
        self, scene: Scene, send_id: int, batch_id: int, state: SendState
    ) -> None:
        scene.set_state(send_id, state)
        assert scene.try_claim(batch_id) is None

    def test_a_batch_that_does_not_exist_cannot_be_claimed(self, scene: Scene) -> None:
        assert scene.try_claim(12345) is None


class TestRenewing:
    def test_a_renewed_lease_lasts(self, scene: Scene, batch_id: int) -> None:
        claim = scene.claim(batch_id)
        with scene.ledger.write() as c:
            batches.renew(c, [claim.token], AFTER_THE_LEASE + LEASE)
        assert scene.try_claim(batch_id, at=AFTER_THE_LEASE) is None

    def test_a_lease_that_another_worker_has_now_is_not_renewed(
        self, scene: Scene, batch_id: int
    ) -> None:
        lost = scene.claim(batch_id)
        scene.claim(batch_id, at=AFTER_THE_LEASE)
        with scene.ledger.write() as c:
            batches.renew(c, [lost.token], later(3600))
        assert scene.batch(batch_id).leased_until == AFTER_THE_LEASE + LEASE

    def test_renewing_nothing_is_fine(self, scene: Scene, batch_id: int) -> None:
        scene.claim(batch_id)
        with scene.ledger.write() as c:
            batches.renew(c, [], later(3600))
        assert scene.batch(batch_id).leased_until == AT + LEASE


class TestReleasing:
    def test_a_batch_with_queued_deliveries_is_due_at_once(
        self, scene: Scene, batch_id: int
    ) -> None:
        claim = scene.claim(batch_id)
        assert scene.release(claim, at=later(5)) == later(5)
        assert scene.try_claim(batch_id, at=later(5)) is not None

    def test_a_batch_with_a_delivery_in_flight_is_due_at_once(
        self, scene: Scene, batch_id: int
    ) -> None:
        claim = scene.claim(batch_id)
        scene.take_first(claim)
        assert scene.release(claim, at=later(5)) == later(5)

    def test_a_batch_that_waits_for_retries_is_due_at_the_first(self, scene: Scene) -> None:
        send_id = scene.sending("x@example.com", "y@example.com")
        claim = scene.claim_first(send_id)
        for wait in (600, 300):
            change = Change(DeliveryState.RETRYING, 1, next_attempt_at=later(wait))
            scene.record(claim, scene.take_first(claim), change)
        assert scene.release(claim) == later(300)
        batch_id = scene.batches(send_id)[0]
        assert scene.try_claim(batch_id, at=later(299)) is None
        assert scene.try_claim(batch_id, at=later(300)) is not None

    def test_a_batch_whose_deliveries_have_ended_is_never_due(
        self, scene: Scene, batch_id: int
    ) -> None:
        claim = scene.claim(batch_id)
        scene.deliver(claim)
        assert scene.release(claim) is None
        assert scene.batch(batch_id).due_at is None

    def test_a_lost_lease_is_not_given_back(self, scene: Scene, batch_id: int) -> None:
        lost = scene.claim(batch_id)
        scene.claim(batch_id, at=AFTER_THE_LEASE, worker="worker-2")
        scene.release(lost)
        assert scene.batch(batch_id).leased_by == "worker-2"


class TestHints:
    def test_what_is_due_and_free_is_hinted_once(self, scene: Scene, send_id: int) -> None:
        assert hints(scene) == scene.batches(send_id)
        assert hints(scene, seconds=29) == []

    def test_a_hint_tells_the_channel(self, scene: Scene, batch_id: int) -> None:
        with scene.ledger.write() as c:
            due = hinting.to_hint(c, at=AT, again_after_seconds=30, limit=1)
        assert due == (DueBatch(batch_id, "email"),)

    def test_a_hint_that_was_not_taken_up_is_given_again(self, scene: Scene, send_id: int) -> None:
        hints(scene)
        assert hints(scene, seconds=31) == scene.batches(send_id)

    def test_no_more_than_the_limit_are_hinted(self, scene: Scene, send_id: int) -> None:
        first, second, third = scene.batches(send_id)
        assert hints(scene, limit=2) == [first, second]
        assert hints(scene, limit=2) == [third]

    def test_a_leased_batch_is_not_hinted(self, scene: Scene, batch_id: int) -> None:
        scene.claim(batch_id)
        assert batch_id not in hints(scene)

    def test_a_lease_that_ran_out_is_hinted(self, scene: Scene, batch_id: int) -> None:
        scene.claim(batch_id)
        assert batch_id in hints(scene, seconds=LEASE.total_seconds() + 1)

    def test_a_released_batch_is_hinted_at_once(self, scene: Scene, batch_id: int) -> None:
        hints(scene)
        scene.release(scene.claim(batch_id))
        assert hints(scene) == [batch_id]

    def test_a_paused_send_is_not_hinted(self, scene: Scene, send_id: int) -> None:
        scene.set_state(send_id, SendState.PAUSED)
        assert hints(scene) == []

    def test_two_sweepers_at_once_do_not_hint_the_same(self, postgres_ledger: Ledger) -> None:
        """Only PostgreSQL lets the second one look before the first has committed."""
        scene = Scene(postgres_ledger)
        scene.sending("a@example.com", "b@example.com", batch_size=1)
        with scene.ledger.write() as c:
            assert len(hinting.to_hint(c, at=AT, again_after_seconds=30, limit=10)) == 2
            # Nor does it wait for the first one.
            assert hints(scene) == []
        assert hints(scene) == []


class TestWaking:
    def test_a_batch_that_has_ended_is_due_again(self, scene: Scene, batch_id: int) -> None:
        claim = scene.claim(batch_id)
        scene.deliver(claim)
        scene.release(claim)
        with scene.ledger.write() as c:
            batches.wake(c, batch_id, later(60))
        assert scene.batch(batch_id).due_at == later(60)

    def test_a_batch_that_is_due_sooner_stays_so(self, scene: Scene, batch_id: int) -> None:
        with scene.ledger.write() as c:
            batches.wake(c, batch_id, later(60))
        assert scene.batch(batch_id).due_at == AT


class TestResting:
    def test_the_free_batches_of_an_account_are_left_alone_until_then(
        self, scene: Scene, send_id: int
    ) -> None:
        leased, *free = scene.batches(send_id)
        scene.claim(leased)
        with scene.ledger.write() as c:
            batches.rest(c, "main", later(60))
        assert [scene.batch(one).due_at for one in free] == [later(60)] * 2
        assert scene.batch(leased).due_at == AT

    def test_other_accounts_and_later_batches_are_not_touched(
        self, scene: Scene, batch_id: int
    ) -> None:
        with scene.ledger.write() as c:
            batches.rest(c, "another", later(60))
            batches.rest(c, "main", later(-60))
        assert scene.batch(batch_id).due_at == AT

    def test_few_of_many_are_hinted_anew(
        self, scene: Scene, send_id: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(batches, "_HINTED_ANEW", 2)
        with scene.ledger.write() as c:
            hinting.to_hint(c, at=AT, again_after_seconds=3600, limit=99)
            batches.rest(c, "main", later(5))
            hinted = hinting.to_hint(c, at=later(5), again_after_seconds=3600, limit=99)
        assert {batch.id for batch in hinted} == set(scene.batches(send_id)[:2])

    def test_a_hint_from_before_is_given_again_as_soon_as_the_rest_is_over(
        self, scene: Scene, batch_id: int
    ) -> None:
        def hint(at: datetime) -> bool:
            with scene.ledger.write() as c:
                due = hinting.to_hint(c, at=at, again_after_seconds=3600, limit=99)
            return batch_id in {batch.id for batch in due}

        assert hint(AT)
        with scene.ledger.write() as c:
            batches.rest(c, "main", later(5))
        assert [hint(later(seconds)) for seconds in (4, 5, 6)] == [False, True, False]


class TestLostWorkers:
    def test_whoever_did_not_give_a_batch_back_is_known_by_name(
        self, scene: Scene, send_id: int
    ) -> None:
        first, second, third = scene.batches(send_id)
        scene.claim(first, worker="worker-1")
        scene.claim(second, worker="worker-2")
        scene.release(scene.claim(third, worker="worker-3"))
        with scene.ledger.read() as c:
            held = {lease.batch_id: lease.holder for lease in batches.held(c)}
        assert held == {first: "worker-1", second: "worker-2"}

    def test_their_batch_can_be_seized_before_its_lease_ends(
        self, scene: Scene, send_id: int
    ) -> None:
        batch = scene.batches(send_id)[0]
        gone = scene.claim(batch, worker="worker-1")
        seized = _seize(scene, gone)
        assert seized is not None
        assert seized.former == gone.token

    def test_a_batch_that_went_to_another_is_not_seized(self, scene: Scene, send_id: int) -> None:
        batch = scene.batches(send_id)[0]
        gone = scene.claim(batch, worker="worker-1")
        scene.release(gone)
        scene.claim(batch, worker="worker-2")
        assert _seize(scene, gone) is None

    def test_a_batch_that_the_same_worker_got_again_is_not_seized(
        self, scene: Scene, send_id: int
    ) -> None:
        batch = scene.batches(send_id)[0]
        before = scene.claim(batch, worker="worker-1")
        scene.release(before)
        scene.claim(batch, worker="worker-1")
        assert _seize(scene, before) is None

    def test_a_lease_that_was_given_back_leaves_nothing_to_settle(
        self, scene: Scene, send_id: int
    ) -> None:
        batch = scene.batches(send_id)[0]
        scene.release(scene.claim(batch))
        assert scene.claim(batch).former is None

    def test_a_dropped_lease_is_free_at_once_and_names_its_former_holder(
        self, scene: Scene, send_id: int
    ) -> None:
        batch = scene.batches(send_id)[0]
        dropped = scene.claim(batch)
        with scene.ledger.write() as c:
            batches.drop(c, dropped, AT)
        assert scene.claim(batch).former == dropped.token


def _seize(scene: Scene, gone: Claim) -> Claim | None:
    with scene.ledger.write() as c:
        return batches.seize(
            c, gone.batch_id, token=gone.token, worker="worker-3", at=AT, lease=LEASE
        )
