"""When a rest is over, one message of all processes tries again; all others keep their attempts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from channels.base import Fault, Outcome, RateLimit, Verdict
from distributor.engine.breaker import CircuitBreaker
from distributor.engine.limits import Room
from distributor.ledger import batches, breakers, stops
from distributor.ledger.breakers import Breaker
from distributor.ledger.database import Ledger
from distributor.ledger.probed import PROBE_TIME
from distributor.ledger.stops import Stop
from tests.engine.conftest import elsewhere
from tests.support.service import Meanwhile, NoLimits, Service, service

AT_GMAIL = [f"reader-{number}@gmail.example" for number in range(6)]
ELSEWHERE = [f"reader-{number}@readers.example" for number in range(6)]
BOTH = [address for pair in zip(AT_GMAIL, ELSEWHERE, strict=True) for address in pair]
GMAIL = "@gmail.example"


class Killed(BaseException):
    """Stands for a kill -9 of the process."""


class Full(NoLimits):
    """Has no room for the first so many messages."""

    def __init__(self, messages: int, *, is_account_wide: bool) -> None:
        self._left = messages
        self._limit = RateLimit("full", 1, 1, is_account_wide)

    def reserve(self, limits: Sequence[RateLimit], patience: float) -> Room:
        self._left -= 1
        return Room(10, self._limit) if self._left >= 0 else super().reserve(limits, patience)


@pytest.fixture
def shop(tmp_path: Path, ledger: Ledger) -> Iterator[Service]:
    """A send to two domains in three batches; tests run on both databases."""
    with service(tmp_path, ledger, DISTRIBUTOR_SENDING_BATCH_SIZE="4") as shop:
        shop.subscribe("email", *BOTH)
        shop.send_id = shop.start_and_plan()
        yield shop


def open_breaker(shop: Service) -> Breaker:
    with shop.ledger.write() as c:
        return breakers.open_(c, "relay", code="down", reply="down", at=shop.clock())


def open_stop(shop: Service) -> Stop:
    with shop.ledger.write() as c:
        return stops.open_(c, "relay", GMAIL, code="no", reply="no", at=shop.clock())


def breaker(shop: Service) -> Breaker | None:
    with shop.ledger.read() as c:
        return breakers.find(c, "relay")


def stop(shop: Service) -> Stop | None:
    with shop.ledger.read() as c:
        return next(iter(stops.all_(c)), None)


def refuse_gmail(shop: Service, text: str = "5.7.26 This mail is not authenticated") -> None:
    shop.platforms.misbehave("smtp", "reject", match=GMAIL, code=550, text=text, stage="rcpt")


def due_times(shop: Service) -> set[datetime]:
    return {batch.due_at for batch in shop.batches(shop.send_id) if batch.due_at is not None}


def unspent(shop: Service) -> int:
    """How many wait of whom no attempt was spent."""
    rows = shop.deliveries(shop.send_id).values()
    return sum(row["attempts"] == 0 and row["state"].value == "queued" for row in rows)


def tries(shop: Service) -> int:
    return sum(entry.attempt is not None for entry in shop.log(shop.send_id))


def hinted(shop: Service) -> set[int]:
    """Batches that a sweep asks workers to deliver."""
    shop.hints.due.clear()
    shop.sweep()
    return {batch.id for batch in shop.hints.due}


class TestBreaker:
    @pytest.mark.usefixtures("always_in_sync")
    def test_a_round_under_way_ends_when_another_process_opens_it(self, shop: Service) -> None:
        opened: list[Breaker] = []
        lane = elsewhere(shop, Meanwhile(2, lambda: opened.append(open_breaker(shop))))
        lane.deliver(shop.send_id)

        assert shop.counts(shop.send_id) == {"sent": 2, "queued": 10}
        assert unspent(shop) == 10
        assert due_times(shop) == {opened[0].open_until}

    def test_a_lane_that_takes_more_deliveries_heeds_it_too(self, shop: Service) -> None:
        shop.subscribe("email", *(f"{number}@many.example" for number in range(30)), to="many")
        whole = {"sending": shop.settings.sending.model_copy(update={"batch_size": 30})}
        settings = shop.settings.model_copy(update=whole)
        send_id = shop.another_process(settings=settings).start_and_plan(to="many", again=True)
        elsewhere(shop, Meanwhile(20, lambda: open_breaker(shop))).deliver(send_id)

        assert shop.counts(send_id)["queued"] >= 5

    def test_one_message_of_all_processes_probes(self, shop: Service) -> None:
        shop.platforms.misbehave("smtp", "drop_before")
        shop.clock.advance_to(open_breaker(shop).open_until)
        other = elsewhere(shop)
        elsewhere(shop, Meanwhile(1, lambda: other.deliver(shop.send_id))).deliver(shop.send_id)

        assert tries(shop) == 1
        assert unspent(shop) == 11
        opened = breaker(shop)
        assert opened is not None
        assert opened.times == 2
        assert due_times(shop) == {opened.open_until}

    def test_once_the_probe_got_through_everybody_goes_on_at_once(self, shop: Service) -> None:
        shop.clock.advance_to(open_breaker(shop).open_until)
        other = elsewhere(shop)
        first, *others = [batch.id for batch in shop.batches(shop.send_id)]

        def the_others_rest() -> None:
            other.deliver(shop.send_id)
            assert not hinted(shop)

        lane = elsewhere(shop, Meanwhile(1, the_others_rest))
        lane.deliver_batch(first)

        assert breaker(shop) is None
        assert hinted(shop) == set(others)
        shop.deliver(shop.send_id)
        assert shop.counts(shop.send_id) == {"sent": 12}

    def test_a_probe_that_comes_too_often_shows_that_the_platform_is_there(
        self, shop: Service
    ) -> None:
        shop.clock.advance_to(open_breaker(shop).open_until)
        batch = shop.batches(shop.send_id)[0]
        with shop.ledger.write() as c:
            claim = batches.claim(
                c, batch.id, worker="w", at=shop.clock(), lease=shop.context.leases.lease
            )
            assert claim is not None
            way = CircuitBreaker(shop.context, claim)
            way.see(breakers.find(c, "relay"))
            way.claim_probe(c)
        busy = Outcome(Verdict.RETRYING, "429", "", fault=Fault.PROVIDER, retry_after=1)
        way.learn(busy, attempt=1)

        assert breaker(shop) is None

    def test_a_prober_that_is_lost_is_followed_by_another(self, shop: Service) -> None:
        shop.clock.advance_to(open_breaker(shop).open_until)

        def die() -> None:
            raise Killed

        with pytest.raises(Killed):
            elsewhere(shop, Meanwhile(1, die)).deliver(shop.send_id)
        shop.clock.advance(seconds=PROBE_TIME.total_seconds() - 1)
        shop.deliver(shop.send_id)
        assert tries(shop) == 0

        shop.clock.advance(seconds=1)
        shop.deliver(shop.send_id)
        assert shop.counts(shop.send_id) == {"sent": 12}

    def test_a_probe_that_has_to_wait_itself_leaves_it_to_another_message(
        self, shop: Service
    ) -> None:
        shop.clock.advance_to(open_breaker(shop).open_until)
        elsewhere(shop, Full(1, is_account_wide=False)).deliver(shop.send_id)

        assert breaker(shop) is None
        assert shop.counts(shop.send_id) == {"sent": 11, "queued": 1}

    def test_a_probe_that_did_not_leave_is_left_to_another_process(self, shop: Service) -> None:
        shop.clock.advance_to(open_breaker(shop).open_until)
        elsewhere(shop, Full(1, is_account_wide=True)).deliver(shop.send_id)

        opened = breaker(shop)
        assert opened is not None
        assert opened.open_until == shop.clock()
        assert unspent(shop) == 12


class TestStop:
    @pytest.fixture
    def over(self, shop: Service) -> Service:
        """One domain has refused a message; its rest is over, and all others were reached."""
        refuse_gmail(shop)
        shop.deliver(shop.send_id)
        assert shop.counts(shop.send_id) == {"failed": 1, "queued": 5, "sent": 6}
        stopped = stop(shop)
        assert stopped is not None
        shop.clock.advance_to(stopped.open_until)
        return shop

    @pytest.mark.usefixtures("always_in_sync")
    def test_a_round_under_way_heeds_what_another_process_stops(self, shop: Service) -> None:
        elsewhere(shop, Meanwhile(2, lambda: open_stop(shop))).deliver(shop.send_id)

        assert shop.counts(shop.send_id) == {"sent": 7, "queued": 5}
        assert unspent(shop) == 5

    def test_one_message_of_all_processes_tries_again(self, over: Service) -> None:
        other = elsewhere(over)
        elsewhere(over, Meanwhile(1, lambda: other.deliver(over.send_id))).deliver(over.send_id)

        assert over.counts(over.send_id) == {"failed": 2, "queued": 4, "sent": 6}
        assert unspent(over) == 4

    def test_once_it_is_taken_everybody_goes_on_at_once(self, over: Service) -> None:
        over.platforms.behave()
        other = elsewhere(over)
        first, *others = [batch.id for batch in over.batches(over.send_id)]

        def the_others_are_postponed() -> None:
            other.deliver(over.send_id)
            assert not hinted(over)

        elsewhere(over, Meanwhile(1, the_others_are_postponed)).deliver_batch(first)

        assert stop(over) is None
        assert hinted(over) == set(others)
        over.deliver(over.send_id)
        assert over.counts(over.send_id) == {"failed": 1, "sent": 11}

    def test_one_that_is_lost_is_followed_by_another(self, over: Service) -> None:
        over.platforms.behave()
        before = tries(over)

        def die() -> None:
            raise Killed

        with pytest.raises(Killed):
            elsewhere(over, Meanwhile(1, die)).deliver(over.send_id)
        over.clock.advance(seconds=PROBE_TIME.total_seconds() - 1)
        over.deliver(over.send_id)
        assert tries(over) == before

        over.clock.advance(seconds=1)
        over.deliver(over.send_id)
        assert over.counts(over.send_id) == {"failed": 1, "sent": 11}

    def test_a_reader_who_is_gone_decides_nothing_for_the_others(self, over: Service) -> None:
        over.platforms.behave()
        refuse_gmail(over, "5.1.1 no such user")
        over.deliver(over.send_id)

        assert over.counts(over.send_id) == {"failed": 2, "queued": 4, "sent": 6}
        assert stop(over) is not None

    def test_one_that_did_not_leave_is_left_to_another_process(self, over: Service) -> None:
        elsewhere(over, Full(1, is_account_wide=True)).deliver(over.send_id)

        stopped = stop(over)
        assert stopped is not None
        assert stopped.open_until == over.clock()
        assert unspent(over) == 5
