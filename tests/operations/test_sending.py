"""Starting a send: what it writes, what it refuses, and what it never does twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from distributor.audience.errors import UnknownList
from distributor.digest.decoding import UnreadableDigest
from distributor.engine.embedded_redis import RedisUnavailable
from distributor.ledger import tables
from distributor.ledger.database import Ledger
from distributor.ledger.states import SendState
from distributor.operations import sending, steering
from distributor.operations.errors import OperationError, WrongRequest
from distributor.operations.send_request import (
    AlreadySent,
    Held,
    Rehearsed,
    Repeated,
    SendRequest,
    SendResult,
    Started,
)
from distributor.settings import Settings
from tests.support.service import Service, edition, service


class Desk:
    """Asks for sends of one file, as an operator does."""

    def __init__(self, shop: Service, file: Path) -> None:
        self.shop = shop
        self.file = file
        self.write(edition())

    def write(self, source: str) -> None:
        self.file.write_text(source, encoding="utf-8")

    def ask(self, *lists: str, **options: Any) -> SendResult:
        request = SendRequest(path=self.file, lists=lists, **options)
        return sending.start(self.shop.context, self.shop.hints, request)

    def ask_with(self, settings: Settings, *lists: str, **options: Any) -> SendResult:
        context = replace(self.shop.context, settings=settings)
        request = SendRequest(path=self.file, lists=lists, **options)
        return sending.start(context, self.shop.hints, request)

    def sends(self) -> int:
        return self._count(tables.sends)

    def digests(self) -> int:
        return self._count(tables.digests)

    def _count(self, table: sa.Table) -> int:
        with self.shop.ledger.read() as connection:
            query = sa.select(sa.func.count()).select_from(table)
            return connection.execute(query).scalar_one()


@pytest.fixture
def desk(shop: Service, tmp_path: Path) -> Desk:
    return Desk(shop, tmp_path / "edition.md")


def test_a_send_is_written_and_workers_are_told(desk: Desk) -> None:
    result = desk.ask("readers")

    assert result.state is SendState.PREPARING
    assert result.recipients == {"email": 1, "telegram": 1}
    assert desk.shop.hints.prepared == [result.send_id]


def test_the_same_edition_goes_to_a_list_once(desk: Desk) -> None:
    first = desk.ask("readers")

    second = desk.ask("readers")

    assert isinstance(second, AlreadySent)
    assert second.already == {
        ("readers", "email"): first.send_id,
        ("readers", "telegram"): first.send_id,
    }
    assert desk.sends() == 1


def test_another_revision_is_another_edition(desk: Desk) -> None:
    desk.ask("readers")
    desk.write(edition(items=3))

    assert isinstance(desk.ask("readers"), Started)


def test_the_same_edition_goes_out_again_when_told_to(desk: Desk) -> None:
    desk.ask("readers")

    assert desk.ask("readers", again=True).recipients == {"email": 1, "telegram": 1}


def test_another_list_gets_what_the_first_has_had(desk: Desk) -> None:
    first = desk.ask("readers")
    desk.shop.subscribe("email", "other@example.org", to="others")

    second = desk.ask("readers", "others")

    assert second.recipients == {"email": 1}
    assert second.already == {
        ("readers", "email"): first.send_id,
        ("readers", "telegram"): first.send_id,
    }


def test_a_channel_that_a_list_gained_goes_out_alone(desk: Desk) -> None:
    first = desk.ask("readers", channels=["email"])

    second = desk.ask("readers")

    assert second.recipients == {"telegram": 1}
    assert second.already == {("readers", "email"): first.send_id}


def test_what_is_there_already_needs_no_platform(desk: Desk) -> None:
    first = desk.ask("readers")
    accounts = desk.shop.settings.accounts.items()
    unreachable = {name: account.model_copy(update={"port": 1}) for name, account in accounts}
    settings = desk.shop.settings.model_copy(update={"accounts": unreachable})

    repeated = desk.ask_with(settings, "readers")

    assert isinstance(repeated, AlreadySent)
    assert set(repeated.already.values()) == {first.send_id}


class TestAnIdempotencyKey:
    def test_makes_one_send_of_a_request_that_is_repeated(self, desk: Desk) -> None:
        first = desk.ask("readers", again=True, idempotency_key="morning")

        second = desk.ask("readers", again=True, idempotency_key="morning")

        assert isinstance(second, Repeated)
        assert second.send_id == first.send_id
        assert desk.sends() == 1
        assert desk.shop.hints.prepared == [first.send_id]

    def test_also_of_a_test(self, desk: Desk) -> None:
        asked = {"test": "email:me@example.org", "idempotency_key": "try"}
        assert desk.ask(**asked).send_id == desk.ask(**asked).send_id

    def test_cannot_be_used_for_another_request(self, desk: Desk) -> None:
        desk.ask("readers", idempotency_key="morning")
        desk.write(edition(items=3))

        with pytest.raises(WrongRequest, match="'morning' made send 1, of another edition"):
            desk.ask("readers", idempotency_key="morning")

    def test_that_says_nothing_is_refused(self, desk: Desk) -> None:
        with pytest.raises(WrongRequest, match="1 to 200 printable characters"):
            desk.ask("readers", idempotency_key="")

    def test_whose_answer_was_earlier_sends_keeps_it(self, desk: Desk) -> None:
        first = desk.ask("readers")
        answer = desk.ask("readers", idempotency_key="morning")
        assert isinstance(first, Started)
        assert isinstance(answer, AlreadySent)
        steering.cancel(desk.shop.context, first.send_id)

        again = desk.ask("readers", idempotency_key="morning")

        assert again == replace(answer, is_repetition=True)
        assert desk.sends() == 1

    def test_whose_answer_was_earlier_sends_cannot_be_used_for_another_request(
        self, desk: Desk
    ) -> None:
        desk.ask("readers")
        desk.ask("readers", idempotency_key="morning")
        desk.write(edition(items=3))

        with pytest.raises(WrongRequest, match="'morning' was used for a request of another"):
            desk.ask("readers", idempotency_key="morning")
        assert desk.sends() == 1

    def test_that_was_refused_can_be_used_for_what_is_put_right(self, desk: Desk) -> None:
        desk.write("")
        assert isinstance(desk.ask("readers", idempotency_key="morning"), Held)
        desk.write(edition())

        assert isinstance(desk.ask("readers", idempotency_key="morning"), Started)


class TestOperatorsWhoAskAtOnceUnderOneKey:
    @pytest.fixture
    def desk(self, ledger: Ledger, tmp_path: Path) -> Iterator[Desk]:
        with service(tmp_path, ledger) as shop:
            shop.subscribe("email", "reader@example.org")
            yield Desk(shop, tmp_path / "edition.md")

    @pytest.mark.parametrize(
        ("lists", "options"),
        [
            (["readers"], {}),
            (["readers"], {"again": True}),
            ([], {"test": "email:me@example.org"}),
        ],
        ids=["once", "again", "test"],
    )
    def test_all_learn_of_the_one_send(
        self, desk: Desk, lists: list[str], options: dict[str, Any]
    ) -> None:
        answers = self._ask_at_once(desk, *lists, **options)

        assert sorted(type(answer).__name__ for answer in answers) == ["Repeated"] * 4 + ["Started"]
        assert len({answer.send_id for answer in answers}) == desk.sends() == 1

    def test_all_learn_of_the_earlier_send(self, desk: Desk) -> None:
        desk.ask("readers")

        answers = self._ask_at_once(desk, "readers")

        assert sorted(answer.is_repetition for answer in answers) == [False] + [True] * 4
        assert {tuple(answer.already.values()) for answer in answers} == {(1,)}

    @staticmethod
    def _ask_at_once(desk: Desk, *lists: str, **options: Any) -> list[Any]:
        together = threading.Barrier(5)

        def ask(_operator: int) -> SendResult:
            together.wait(10)
            return desk.ask(*lists, idempotency_key="morning", **options)

        with ThreadPoolExecutor(5) as operators:
            return list(operators.map(ask, range(5)))


def test_a_held_edition_is_written_down_once(desk: Desk) -> None:
    desk.write("")

    first, second = desk.ask("readers"), desk.ask("readers")

    assert isinstance(first, Held)
    assert [reason.code for reason in first.reasons] == ["empty"]
    assert second == first
    assert desk.sends() == 1
    assert desk.shop.hints.prepared == []


def test_a_held_edition_blocks_no_corrected_one(desk: Desk) -> None:
    desk.write("")
    desk.ask("readers")
    desk.write(edition())

    assert isinstance(desk.ask("readers"), Started)


def test_a_dry_run_says_who_would_be_reached_and_writes_nothing(desk: Desk) -> None:
    result = desk.ask("readers", dry_run=True)

    assert isinstance(result, Rehearsed)
    assert result.recipients == {"email": 1, "telegram": 1}
    assert (desk.sends(), desk.digests()) == (0, 0)


def test_a_dry_run_of_a_held_edition_says_why_and_writes_nothing(desk: Desk) -> None:
    desk.write("")

    assert isinstance(desk.ask("readers", dry_run=True), Held)
    assert (desk.sends(), desk.digests()) == (0, 0)


def test_a_test_reaches_one_address_and_does_not_count_as_sent(desk: Desk) -> None:
    test = desk.ask(test="email:me@example.org")

    assert test.recipients == {"email": 1}
    assert desk.ask("readers").recipients == {"email": 1, "telegram": 1}


def test_a_test_may_show_an_edition_that_would_be_held(desk: Desk) -> None:
    desk.write(f"```\n{edition()}\n```\n")
    assert isinstance(desk.ask("readers", dry_run=True), Held)

    assert isinstance(desk.ask(test="email:me@example.org"), Started)


def test_the_channel_of_a_test_address_is_found_where_only_one_takes_it(desk: Desk) -> None:
    assert desk.ask(test="@a_channel").recipients == {"telegram": 1}


@pytest.mark.parametrize("address", ["", "hello there", "email:@@", "fax:12345"])
def test_a_test_address_that_no_channel_takes_is_refused(desk: Desk, address: str) -> None:
    with pytest.raises(WrongRequest, match="CHANNEL:ADDRESS"):
        desk.ask(test=address)
    assert desk.sends() == 0


@pytest.mark.parametrize(
    ("lists", "options", "words"),
    [
        ([], {}, "--list"),
        (["readers"], {"test": "email:me@example.org"}, "--list"),
        (["readers"], {"channels": ["fax"]}, "there is no channel 'fax'"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    desk: Desk, lists: list[str], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(WrongRequest, match=words):
        desk.ask(*lists, **options)
    assert desk.sends() == 0


def test_an_unknown_list_is_refused_with_the_known_ones(desk: Desk) -> None:
    with pytest.raises(UnknownList, match="readers"):
        desk.ask("nobody")
    assert desk.sends() == 0


def test_a_list_without_the_wanted_channel_is_refused_with_the_way_to_change_it(
    desk: Desk,
) -> None:
    with pytest.raises(OperationError, match=r"no subscribers on wechat.*--channel wechat"):
        desk.ask("readers", channels=["wechat"])
    assert desk.sends() == 0


def test_a_channel_without_an_account_is_refused(desk: Desk) -> None:
    accounts = {"relay": desk.shop.settings.accounts["relay"]}
    settings = desk.shop.settings.model_copy(update={"accounts": accounts})

    with pytest.raises(OperationError, match="no account is configured for telegram"):
        desk.ask_with(settings, "readers")
    assert desk.sends() == 0


def test_a_file_that_is_not_there_is_refused(desk: Desk) -> None:
    desk.file.unlink()

    with pytest.raises(UnreadableDigest, match="does not exist"):
        desk.ask("readers")
    assert desk.sends() == 0


@pytest.mark.parametrize(
    ("account", "change"),
    [("relay", {"port": 1}), ("bot", {"base_url": "http://127.0.0.1:1/bot"})],
)
def test_nothing_is_written_when_a_platform_does_not_answer(
    desk: Desk, account: str, change: dict[str, object]
) -> None:
    accounts = dict(desk.shop.settings.accounts)
    accounts[account] = accounts[account].model_copy(update=change)
    settings = desk.shop.settings.model_copy(update={"accounts": accounts})

    with pytest.raises(OperationError, match=r"127\.0\.0\.1:1.*Nothing was sent\."):
        desk.ask_with(settings, "readers")
    assert (desk.sends(), desk.digests()) == (0, 0)


def test_nothing_is_written_when_the_configured_redis_does_not_answer(desk: Desk) -> None:
    redis = desk.shop.settings.redis.model_validate({"url": "redis://:hush-hush@127.0.0.1:1/0"})
    settings = desk.shop.settings.model_copy(update={"redis": redis})

    with pytest.raises(RedisUnavailable, match="DISTRIBUTOR_REDIS_URL") as caught:
        desk.ask_with(settings, "readers")
    assert "hush-hush" not in str(caught.value)
    assert desk.sends() == 0


def test_a_scheduled_send_waits_and_starts_at_its_time(desk: Desk) -> None:
    at = desk.shop.clock() + timedelta(hours=1)
    result = desk.ask("readers", at=at)
    assert isinstance(result, Started)
    assert result.state is SendState.SCHEDULED
    assert desk.shop.hints.prepared == []

    desk.shop.sweep()
    assert desk.shop.send(result.send_id).state is SendState.SCHEDULED

    desk.shop.clock.advance_to(at)
    desk.shop.sweep()
    assert desk.shop.send(result.send_id).state is SendState.PREPARING
    assert desk.shop.hints.prepared == [result.send_id]


def test_the_deadline_of_a_scheduled_send_counts_from_its_start(desk: Desk) -> None:
    at = desk.shop.clock() + timedelta(days=3)
    result = desk.ask("readers", at=at)
    assert isinstance(result, Started)

    hours = timedelta(hours=desk.shop.settings.sending.deadline_hours)
    assert desk.shop.send(result.send_id).deadline_at == at + hours


def test_a_time_that_is_past_is_refused(desk: Desk) -> None:
    with pytest.raises(WrongRequest, match="is past"):
        desk.ask("readers", at=desk.shop.clock() - timedelta(seconds=1))
    assert desk.sends() == 0
