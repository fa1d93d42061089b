"""Commands that Telegram brought: `amend`, `approve`, `bot`, and attributes of subscribers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from distributor.ledger.database import Ledger
from distributor.ledger.states import SendState
from tests.cli.conftest import Program
from tests.support.service import Service, edition, service


@pytest.fixture
def shop(tmp_path: Path, sqlite_ledger: Ledger, program: Program) -> Iterator[Service]:
    """A service with one chat."""
    with service(tmp_path, sqlite_ledger) as running:
        running.subscribe("telegram", "@a_channel")
        for variable, value in running.environment.items():
            program.set(**{variable.removeprefix("DISTRIBUTOR_"): value})
        yield running


def test_amend_says_what_became_of_the_messages(shop: Service, program: Program) -> None:
    send_id = shop.start_and_plan(edition(items=3))
    shop.deliver(send_id)
    shop.sweep()
    corrected = shop.write_edition(edition(items=3).replace("第 1 件事", "第一件事"))
    done = program("amend", send_id, "--digest", corrected)
    assert done.code == 0
    assert "shows revision" in done.out
    assert "1 amended" in done.out
    (repeated,) = program("amend", send_id, "--digest", corrected, "--json").json_lines
    assert (repeated["send"], repeated["unchanged"], repeated["failed"]) == (send_id, 1, 0)
    shop.platforms.misbehave("telegram", "reject", code=400, text="Bad Request: can't")
    failed = program("amend", send_id, "--digest", corrected)
    assert failed.code == 1
    assert f"distributor log {send_id}" in failed.out


def test_a_draft_waits_until_it_is_approved(shop: Service, program: Program) -> None:
    drafted = program("send", shop.write_edition(), "--list", "readers", "--draft")
    assert "Send 1 waits for approval" in drafted.out
    shop.sweep()
    assert shop.send(1).state is SendState.DRAFT
    assert "distributor approve 1" in program("pause", 1).err
    assert "Send 1 is approved" in program("approve", 1).out
    assert shop.send(1).state is SendState.PREPARING
    assert "needs no approval" in program("approve", 1).out
    program("cancel", 1)
    assert program("approve", 1).code == 1


def test_a_draft_is_nothing_to_wait_for_or_to_test(shop: Service, program: Program) -> None:
    path = shop.write_edition()
    assert program("send", path, "--list", "readers", "--draft", "--wait").code == 2
    assert program("send", path, "--test", "telegram:42", "--draft").code == 2


def test_attributes_and_negative_chat_ids_are_taken(shop: Service, program: Program) -> None:
    added = program(
        *("subscribers", "add", "-1001234567890", "--channel", "telegram", "--list", "readers"),
        *("--set", "thread=42", "--variant", "full"),
    )
    assert added.code == 0
    (shown,) = program("subscribers", "show", "-1001234567890", "--json").json_lines
    assert (shown["attributes"], shown["variant"]) == ({"thread": "42"}, "full")


@pytest.mark.parametrize(
    ("words", "code", "advice"),
    [
        (["--set", "thread"], 2, "NAME=VALUE"),
        (["--set", "thread=first"], 2, "give its number"),
        (["--variant", "loud"], 2, "collapsed, full, headlines"),
    ],
)
def test_what_telegram_cannot_read_says_how_to_write_it(
    shop: Service, program: Program, words: list[str], code: int, advice: str
) -> None:
    done = program("subscribers", "add", "42", "--channel", "telegram", "--list", "readers", *words)
    assert (done.code, advice in done.err.replace("\n", " ")) == (code, True)


def test_the_bot_of_an_account_that_is_not_there_is_a_wrong_request(
    shop: Service, program: Program
) -> None:
    done = program("bot", "--account", "relay")
    assert done.code == 2
    assert "there are: bot" in done.err
