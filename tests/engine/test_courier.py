"""Delivering a batch to real platforms, and what the ledger then says of each recipient."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from channels import registry
from channels.base import Connection, Outcome, Part, RateLimit, Recipient, Verdict
from distributor.engine.limits import Room
from distributor.ledger.breakers import FIRST_REST
from distributor.ledger.database import Ledger
from distributor.ledger.states import SendState
from distributor.ledger.strikes import LIMITS
from distributor.suppression import SuppressionReason
from tests.engine.conftest import elsewhere
from tests.support.service import NoLimits, Service, edition, service

READERS = [f"reader-{number}@example.org" for number in range(6)]
CHATS = ["@daily_news", "-1001748201733", "720185614"]
ROBOTS = ["7d0f6c1e-58a3-4e0b-9a41-c2b3f1d8e601", "b92e44d7-0c36-4f5a-8f17-3ad95e7b21f4"]

HOLDING = {"DISTRIBUTOR_ACCOUNTS_RELAY_ON_UNKNOWN": "hold"}
RESENDING = {"DISTRIBUTOR_ACCOUNTS_RELAY_ON_UNKNOWN": "resend"}

Open = Callable[..., AbstractContextManager[Service]]


@pytest.fixture
def open_shop(tmp_path: Path, sqlite_ledger: Ledger) -> Open:
    """A shop with other settings than the shipped ones."""

    @contextmanager
    def opened(environment: dict[str, str]) -> Iterator[Service]:
        with service(tmp_path, sqlite_ledger, **environment) as shop:
            yield shop

    return opened


def outcomes(shop: Service, send_id: int) -> list[tuple[int | None, int | None, str, str | None]]:
    """Part, number, outcome and code of every attempt, in order."""
    return [
        (entry.part, entry.attempt, entry.outcome.value, entry.code) for entry in shop.log(send_id)
    ]


def deliver_again_when_due(shop: Service, send_id: int) -> None:
    """Let time pass until the send's only delivery is due, then work on it."""
    shop.clock.advance_to(shop.delivery(send_id)["next_attempt_at"])
    shop.deliver(send_id)


def test_everybody_is_sent_and_has_received_exactly_once(shop_on_each: Service) -> None:
    shop = shop_on_each
    shop.subscribe("email", *READERS)
    shop.subscribe("telegram", *CHATS)
    shop.subscribe("wechat", *ROBOTS)
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    assert shop.counts(send_id) == {"sent": 11}
    assert shop.copies("smtp") == dict.fromkeys(READERS, 1)
    assert shop.copies("telegram") == dict.fromkeys(CHATS, 1)
    assert shop.copies("wecom") == dict.fromkeys(ROBOTS, 2)


def test_a_send_is_finished_when_its_last_batch_is(shop_on_each: Service) -> None:
    shop_on_each.subscribe("email", *READERS)
    send_id = shop_on_each.start_and_plan()
    shop_on_each.deliver(send_id)
    finished = shop_on_each.send(send_id)
    assert finished.state is SendState.FINISHED
    assert finished.finished_at == shop_on_each.clock()


def test_the_log_has_what_the_platform_said_to_each(shop: Service) -> None:
    shop.subscribe("email", READERS[0])
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    (entry,) = shop.log(send_id)
    (message,) = shop.platforms.received("smtp")
    assert (entry.part, entry.attempt, entry.outcome, entry.code) == (1, 1, "sent", "ok")
    assert str(entry.reply).endswith(f"queued as {message['id']}")
    assert entry.message_id == message["message_id"]


def test_delivering_again_sends_nothing_again(shop: Service) -> None:
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    shop.clock.advance(hours=1)
    shop.deliver(send_id)
    assert shop.copies("smtp") == dict.fromkeys(READERS, 1)


def test_workers_that_get_the_same_hint_send_once(shop_on_each: Service) -> None:
    shop = shop_on_each
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    other = shop.another_process()
    threads = [threading.Thread(target=one.deliver, args=[send_id]) for one in (shop, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.context.connections.close()
    assert shop.copies("smtp") == dict.fromkeys(READERS, 1)
    assert shop.counts(send_id) == {"sent": len(READERS)}


def test_an_address_refused_for_good_has_failed_and_is_never_sent_to_again(shop: Service) -> None:
    shop.platforms.misbehave(
        "smtp", "reject", match=READERS[0], code=550, text="5.1.1 No such user"
    )
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    refused = shop.deliveries(send_id)[READERS[0]]
    assert (refused["state"], refused["code"]) == ("failed", "smtp-550-5.1.1")
    assert "No such user" in refused["reply"]
    assert shop.counts(send_id) == {"sent": 5, "failed": 1}
    assert shop.is_suppressed(READERS[0])


def test_a_reader_at_whom_the_relay_takes_offence_does_not_hold_up_the_others(
    shop: Service,
) -> None:
    shop.platforms.misbehave(
        "smtp", "reject", match=READERS[0], code=555, text="5.5.4 Parameters not recognized"
    )
    shop.subscribe("email", READERS[0], *(f"reader-{n}@elsewhere.example" for n in range(5)))
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    assert shop.counts(send_id) == {"sent": 5, "failed": 1}
    assert shop.deliveries(send_id)[READERS[0]]["code"] == "smtp-555-5.5.4"


def test_a_mailbox_that_is_busy_twice_gets_the_message_with_the_third_attempt(
    shop: Service,
) -> None:
    shop.platforms.misbehave("smtp", "reject", code=450, text="4.2.1 Busy", times=2)
    shop.subscribe("email", READERS[0])
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    waiting = shop.delivery(send_id)
    relay = shop.settings.accounts["relay"]
    latest = shop.clock() + timedelta(seconds=relay.retry_base_seconds)
    assert (waiting["state"], waiting["attempts"]) == ("retrying", 1)
    assert shop.clock() <= waiting["next_attempt_at"] <= latest
    deliver_again_when_due(shop, send_id)
    deliver_again_when_due(shop, send_id)
    assert outcomes(shop, send_id) == [
        (1, 1, "retrying", "smtp-450-4.2.1"),
        (1, 2, "retrying", "smtp-450-4.2.1"),
        (1, 3, "sent", "ok"),
    ]
    assert shop.copies("smtp") == {READERS[0]: 1}


def test_a_mailbox_that_was_full_for_a_while_at_every_edition_is_not_suppressed(
    shop_on_each: Service,
) -> None:
    shop = shop_on_each
    shop.subscribe("email", READERS[0])
    shop.platforms.misbehave("smtp", "reject", code=452, text="4.2.2 Over quota", times=1)
    for number in range(LIMITS[SuppressionReason.MAILBOX_FULL].sends):
        send_id = shop.start_and_plan(edition(words=20 + number))
        shop.deliver(send_id)
        deliver_again_when_due(shop, send_id)
        assert shop.counts(send_id) == {"sent": 1}
    assert not shop.is_suppressed(READERS[0])


def test_a_mailbox_that_stays_full_is_suppressed(open_shop: Open) -> None:
    with open_shop({"DISTRIBUTOR_ACCOUNTS_RELAY_MAX_ATTEMPTS": "1"}) as shop:
        shop.platforms.misbehave("smtp", "reject", code=452, text="4.2.2 Over quota")
        shop.subscribe("email", READERS[0])
        for number in range(LIMITS[SuppressionReason.MAILBOX_FULL].sends):
            assert not shop.is_suppressed(READERS[0])
            shop.deliver(shop.start_and_plan(edition(words=20 + number)))
        assert shop.is_suppressed(READERS[0])


def test_a_batch_is_due_again_when_its_first_retry_is(shop: Service) -> None:
    shop.platforms.misbehave("smtp", "reject", code=450, text="4.2.1 Busy", times=1)
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    (batch,) = shop.batches(send_id)
    waits = [row["next_attempt_at"] for row in shop.deliveries(send_id).values()]
    assert batch.due_at == min(waits)
    assert batch.lease_token is None


def test_a_delivery_that_is_refused_too_often_has_failed(open_shop: Open) -> None:
    with open_shop({"DISTRIBUTOR_ACCOUNTS_RELAY_MAX_ATTEMPTS": "2"}) as shop:
        shop.platforms.misbehave("smtp", "reject", code=450, text="4.2.1 Busy")
        shop.subscribe("email", READERS[0])
        send_id = shop.start_and_plan()
        shop.deliver(send_id)
        deliver_again_when_due(shop, send_id)
        assert shop.delivery(send_id)["code"] == "smtp-450-4.2.1"
        assert shop.counts(send_id) == {"failed": 1}
        assert shop.send(send_id).state is SendState.FINISHED


def test_what_may_have_arrived_is_unknown_and_not_sent_again_under_hold(open_shop: Open) -> None:
    with open_shop(HOLDING) as shop:
        shop.platforms.misbehave("smtp", "drop_after", times=1)
        shop.subscribe("email", READERS[0])
        send_id = shop.start_and_plan()
        shop.deliver(send_id)
        shop.clock.advance(hours=1)
        shop.deliver(send_id)
        assert shop.counts(send_id) == {"unknown": 1}
        assert shop.delivery(send_id)["code"] == "smtp-lost-after-data"
        assert shop.copies("smtp") == {READERS[0]: 1}


def test_what_may_have_arrived_is_sent_again_with_the_same_message_id_under_resend(
    open_shop: Open,
) -> None:
    with open_shop(RESENDING) as shop:
        shop.platforms.misbehave("smtp", "drop_after", times=1)
        shop.subscribe("email", READERS[0])
        send_id = shop.start_and_plan()
        shop.deliver(send_id)
        deliver_again_when_due(shop, send_id)
        first, second = shop.platforms.received("smtp")
        assert first["message_id"] == second["message_id"]
        assert outcomes(shop, send_id) == [
            (1, 1, "unknown", "smtp-lost-after-data"),
            (1, 2, "sent", "ok"),
        ]


class Wordy:
    """A connection whose platform has very much to say."""

    def deliver(self, part: Part, recipient: Recipient) -> Outcome:  # noqa: ARG002
        return Outcome(Verdict.SENT, "ok", "said " * 1000)

    def close(self) -> None:
        pass


def test_of_a_long_reply_the_beginning_is_kept(
    shop: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(registry.get("email")), "connect", lambda *_: Wordy())
    shop.subscribe("email", READERS[0])
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    (entry,) = shop.log(send_id)
    assert entry.reply == "said " * 100


class Metronome(NoLimits):
    """Has room for every message, but only at its time."""

    def reserve(self, limits: Sequence[RateLimit], patience: float) -> Room:  # noqa: ARG002
        return Room(patience)


class CountedWaits(threading.Event):
    """Writes down how long it was waited for, and lets nobody wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        return self.is_set()


def test_messages_leave_evenly_apart_when_a_limit_says_so(shop: Service) -> None:
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    stopping = CountedWaits()
    elsewhere(shop, Metronome(), stopping=stopping).deliver(send_id)
    assert stopping.waits == [0.25] * len(READERS)
    assert shop.counts(send_id) == {"sent": len(READERS)}


class BreaksOff:
    """A connection with a bug: it breaks off, and is of no use until it is closed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_broken = True

    def deliver(self, part: Part, recipient: Recipient) -> Outcome:
        if self._is_broken:
            raise RuntimeError("a bug")
        return self._connection.deliver(part, recipient)

    def close(self) -> None:
        self._is_broken = False
        self._connection.close()


def test_a_channel_that_breaks_off_leaves_nothing_of_its_connection_to_the_others(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = registry.get("email")
    connect = channel.connect
    monkeypatch.setattr(
        type(channel), "connect", lambda _self, account: BreaksOff(connect(account))
    )
    with open_shop(HOLDING) as shop:
        shop.subscribe("email", *READERS)
        send_id = shop.start_and_plan()
        shop.deliver(send_id)
        assert shop.counts(send_id) == {"unknown": 1, "sent": 5}


def test_one_broken_connection_does_not_concern_the_others(open_shop: Open) -> None:
    with open_shop(HOLDING) as shop:
        shop.platforms.misbehave("smtp", "drop_after", match=READERS[2], times=1)
        shop.subscribe("email", *READERS)
        send_id = shop.start_and_plan()
        shop.deliver(send_id)
        assert shop.counts(send_id) == {"sent": 5, "unknown": 1}
        assert shop.copies("smtp") == dict.fromkeys(READERS, 1)


@pytest.mark.parametrize(
    ("leave", "code"),
    [(Service.unsubscribe, "unsubscribed"), (Service.suppress, "suppressed")],
)
def test_who_left_after_planning_is_skipped(
    shop_on_each: Service, leave: Callable[[Service, str], None], code: str
) -> None:
    shop = shop_on_each
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    leave(shop, READERS[3])
    shop.deliver(send_id)
    skipped = shop.deliveries(send_id)[READERS[3]]
    assert (skipped["state"], skipped["code"]) == ("skipped", code)
    assert shop.counts(send_id) == {"sent": 5, "skipped": 1}
    assert READERS[3] not in shop.copies("smtp")


def test_who_left_while_waiting_for_another_attempt_is_skipped(shop: Service) -> None:
    shop.platforms.misbehave("smtp", "reject", code=450, text="4.2.1 Busy", times=1)
    shop.subscribe("email", READERS[0])
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    shop.unsubscribe(READERS[0])
    deliver_again_when_due(shop, send_id)
    assert shop.counts(send_id) == {"skipped": 1}
    assert shop.copies("smtp") == {}


def test_a_post_of_several_messages_answers_one_with_the_next(shop: Service) -> None:
    shop.subscribe("telegram", "@daily_news")
    send_id = shop.start_and_plan(edition(items=3, words=900))
    shop.deliver(send_id)
    first, second = shop.platforms.received("telegram")
    assert second["body"]["reply_to"] == first["id"]
    assert shop.counts(send_id) == {"sent": 1}


def test_a_post_whose_second_message_was_refused_goes_on_there_and_still_answers_the_first(
    shop: Service,
) -> None:
    shop.platforms.misbehave("telegram", "rate_limit", match="@daily_news", retry_after=7, times=1)
    shop.subscribe("telegram", "@daily_news")
    send_id = shop.start_and_plan(edition(items=3, words=900))
    shop.deliver(send_id)
    deliver_again_when_due(shop, send_id)
    deliver_again_when_due(shop, send_id)
    assert outcomes(shop, send_id) == [
        (1, 1, "retrying", "tg-429"),
        (1, 2, "sent", "ok"),
        (2, 1, "retrying", "tg-429"),
        (2, 2, "sent", "ok"),
    ]
    first, second = shop.platforms.received("telegram")
    assert second["body"]["reply_to"] == first["id"]
    assert shop.counts(send_id) == {"sent": 1}


def test_the_platforms_waiting_time_is_kept(shop: Service) -> None:
    shop.platforms.misbehave(
        "telegram", "rate_limit", match="@daily_news", retry_after=300, times=1
    )
    shop.subscribe("telegram", "@daily_news")
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    assert shop.delivery(send_id)["next_attempt_at"] >= shop.clock() + timedelta(seconds=300)


@pytest.mark.parametrize(
    ("errcode", "becomes", "suppressed"),
    [(45033, "retrying", False), (40008, "failed", False), (93000, "failed", True)],
)
def test_an_error_that_wecom_answers_with_http_200_is_not_taken_for_success(
    shop: Service, errcode: int, becomes: str, suppressed: bool
) -> None:
    shop.platforms.misbehave("wecom", "reject", match=ROBOTS[0], code=errcode, text="no")
    shop.subscribe("wechat", *ROBOTS)
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    refused = shop.deliveries(send_id)[ROBOTS[0]]
    assert (refused["state"], refused["code"]) == (becomes, f"wecom-{errcode}")
    assert shop.is_suppressed(ROBOTS[0], "wechat") is suppressed
    assert shop.copies("wecom") == {ROBOTS[1]: 2}


def test_a_wrong_token_fails_nobody_and_lets_the_account_rest(shop: Service) -> None:
    shop.subscribe("telegram", *CHATS)
    send_id = shop.start_and_plan()
    shop.platforms.misbehave("telegram", "reject", code=401, text="Unauthorized")
    shop.deliver(send_id)
    shop.deliver(send_id)
    (batch,) = shop.batches(send_id)
    assert batch.due_at == shop.clock() + FIRST_REST
    assert [row["attempts"] for row in shop.deliveries(send_id).values()] == [0, 0, 0]
    assert shop.platforms.refused("telegram") == {"401 Unauthorized": 1}
    assert shop.counts(send_id) == {"queued": 2, "retrying": 1}


def test_a_resting_account_sends_to_everybody_once_it_was_put_right(shop: Service) -> None:
    shop.subscribe("telegram", *CHATS)
    send_id = shop.start_and_plan()
    shop.platforms.misbehave("telegram", "reject", code=401, text="Unauthorized")
    shop.deliver(send_id)
    shop.platforms.behave()
    shop.clock.advance(seconds=FIRST_REST.total_seconds())
    shop.deliver(send_id)
    assert shop.counts(send_id) == {"sent": 3}
    assert shop.copies("telegram") == dict.fromkeys(CHATS, 1)


def test_every_batch_of_a_resting_account_waits(open_shop: Open) -> None:
    with open_shop({"DISTRIBUTOR_SENDING_BATCH_SIZE": "1"}) as shop:
        shop.subscribe("telegram", *CHATS)
        shop.subscribe("wechat", ROBOTS[0])
        send_id = shop.start_and_plan()
        shop.platforms.misbehave("telegram", "reject", code=401, text="Unauthorized")
        shop.deliver(send_id)
        assert shop.platforms.refused("telegram") == {"401 Unauthorized": 1}
        assert shop.counts(send_id) == {"sent": 1, "queued": 2, "retrying": 1}


def test_an_account_that_is_not_configured_any_more_fails_nobody(shop: Service) -> None:
    shop.subscribe("email", *READERS)
    send_id = shop.start_and_plan()
    unconfigured = shop.settings.model_copy(update={"accounts": {}})
    shop.another_process(settings=unconfigured).deliver(send_id)
    (batch,) = shop.batches(send_id)
    assert batch.due_at > shop.clock()
    assert shop.counts(send_id) == {"queued": len(READERS)}
