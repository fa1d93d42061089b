"""The commands that steer a send and draw up its receipt: words, JSON and exit codes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from distributor.ledger import tables
from distributor.ledger.database import Ledger
from distributor.ledger.states import DeliveryState
from tests.cli.conftest import Done, Program
from tests.support.service import Service, service

READER = "reader@example.org"


@pytest.fixture
def shop(
    tmp_path: Path, sqlite_ledger: Ledger, program: Program, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    """A service with one reader, whose relay leaves what is unknown to operators like Kim."""
    hold = {"DISTRIBUTOR_ACCOUNTS_RELAY_ON_UNKNOWN": "hold"}
    monkeypatch.setenv("LOGNAME", "kim")
    with service(tmp_path, sqlite_ledger, **hold) as running:
        running.subscribe("email", READER)
        for variable, value in running.environment.items():
            program.set(**{variable.removeprefix("DISTRIBUTOR_"): value})
        yield running


def delivered(shop: Service, kind: str, **fault: object) -> int:
    """A send that met with this fault, by a platform that is well again."""
    shop.platforms.misbehave("smtp", kind, **fault)
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    shop.platforms.behave()
    return send_id


def test_pause_and_resume_say_what_is_and_what_comes_next(shop: Service, program: Program) -> None:
    send_id = shop.start_and_plan()
    assert program("pause", send_id) == Done(
        0, f"Send {send_id} is paused. Continue with: distributor resume {send_id}\n", ""
    )
    assert "is already paused" in program("pause", send_id).out
    assert f"Send {send_id} continues. " in program("resume", send_id).out
    assert "is already under way" in program("resume", send_id).out


def test_cancel_says_how_many_it_ended(shop: Service, program: Program) -> None:
    send_id = shop.start_and_plan()
    assert f"Send {send_id} is canceled, 1 delivery with it" in program("cancel", send_id).out
    assert "was already canceled" in program("cancel", send_id).out


def test_cancel_says_what_becomes_of_what_workers_hold(shop: Service, program: Program) -> None:
    send_id = shop.start_and_plan()
    with shop.ledger.write() as connection:
        connection.execute(sa.update(tables.deliveries).values(state=DeliveryState.SENDING))
    assert (
        "up to 1 are in workers' hands: those that have not left are canceled"
        in program("cancel", send_id).out
    )


def test_what_a_canceled_send_leaves_unknown_is_only_to_be_marked_as_sent(
    shop: Service, program: Program
) -> None:
    send_id = shop.start_and_plan()
    with shop.ledger.write() as connection:
        connection.execute(sa.update(tables.deliveries).values(state=DeliveryState.UNKNOWN))
    assert "--as sent|resend" in program("status", send_id).out
    program("cancel", send_id)
    assert program("status", send_id).out.endswith(f"resolve {send_id} --as sent\n")


def test_retry_says_how_many_and_until_when(shop: Service, program: Program) -> None:
    send_id = delivered(shop, "reject", code="554", text="5.7.0 not today")
    assert f"Send {send_id} is sending: 1 to be tried until " in program("retry", send_id).out
    assert "none of its deliveries is failed" in program("retry", send_id).out


@pytest.mark.parametrize(
    ("code", "text", "offered"),
    [("550", "5.1.1 no such user", False), ("554", "5.7.0 not today", True)],
    ids=["dead", "refused"],
)
def test_status_offers_another_try_only_where_one_may_help(
    shop: Service, program: Program, code: str, text: str, offered: bool
) -> None:
    send_id = delivered(shop, "reject", code=code, text=text)
    assert (f"retry {send_id}" in program("status", send_id).out) is offered


def test_retry_names_the_codes_there_are_when_none_fits(shop: Service, program: Program) -> None:
    send_id = delivered(shop, "reject", code="554", text="5.7.0 not today")
    said = program("retry", send_id, "--code", "expired")
    assert said.code == 0
    assert "no delivery matches. Those that are failed have: smtp-554-5.7.0 (1, email)" in said.out


def test_resolve_tells_the_log_who_did_it(shop: Service, program: Program) -> None:
    send_id = delivered(shop, "drop_after", stage="data")
    assert "1 marked as sent" in program("resolve", send_id, "--as", "sent").out
    assert shop.log(send_id)[-1].reply == f"kim@{socket.gethostname()}: it arrived"


def test_behind_sudo_it_is_the_person_who_did_it(
    shop: Service, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "ida")
    send_id = delivered(shop, "drop_after", stage="data")
    program("resolve", send_id, "--as", "sent")
    assert shop.log(send_id)[-1].reply == f"ida@{socket.gethostname()}: it arrived"


def test_resolve_sends_again_to_one_subscriber(shop: Service, program: Program) -> None:
    send_id = delivered(shop, "drop_after", stage="data")
    said = program("resolve", send_id, "--as", "resend", "--subscriber", READER, "--json")
    (value,) = said.json_lines
    assert (value["queued"], value["state"]) == (1, "sending")


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        (["pause"], {"send", "state", "changed"}),
        (["cancel"], {"send", "state", "changed", "canceled", "waiting", "in_hand"}),
        (["resolve", "--as", "sent"], {"send", "state", "changed", "sent", "suppressed"}),
    ],
)
def test_json_says_what_was_changed(
    shop: Service, program: Program, command: list[str], keys: set[str]
) -> None:
    send_id = shop.start_and_plan()
    (said,) = program(command[0], send_id, *command[1:], "--json").json_lines
    assert keys <= set(said)
    assert said["send"] == send_id


def test_what_cannot_be_done_is_one_line_and_exit_code_1(shop: Service, program: Program) -> None:
    send_id = shop.start_and_plan()
    program("cancel", send_id)
    said = program("resume", send_id)
    assert said.code == 1
    assert said.err.startswith(f"error: send {send_id} is canceled: it cannot be resumed;")
    assert said.err.count("\n") == 1


def test_wrong_usage_is_exit_code_2(shop: Service, program: Program) -> None:
    assert program("retry", 1, "--channel", "post").code == 2
    assert program("resolve", 1, "--as", "lost").code == 2


@pytest.mark.parametrize(
    ("fault", "hint"),
    [
        ({"kind": "drop_after", "stage": "data"}, "distributor resolve {} --as sent|resend"),
        ({"kind": "reject", "code": "554", "text": "5.7.0 no"}, "distributor retry {}"),
    ],
)
def test_status_ends_with_the_command_that_goes_on(
    shop: Service, program: Program, fault: dict[str, Any], hint: str
) -> None:
    send_id = delivered(shop, **fault)
    last = program("status", send_id).out.splitlines()[-1]
    assert last.endswith(hint.format(send_id))


def test_status_of_a_paused_send_tells_how_to_resume_it(shop: Service, program: Program) -> None:
    send_id = shop.start_and_plan()
    program("pause", send_id)
    assert f"distributor resume {send_id}" in program("status", send_id).out.splitlines()[-1]


def test_status_of_a_good_send_ends_with_its_books(shop: Service, program: Program) -> None:
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    assert program("status", send_id).out.splitlines()[-1].startswith("The books balance")


class TestReceipt:
    def test_is_a_sum_that_is_checked(self, shop: Service, program: Program) -> None:
        send_id = shop.start_and_plan()
        shop.deliver(send_id)
        said = program("receipt", send_id)
        total = "1 intended = 1 sent + 0 failed + 0 unknown + 0 skipped + 0 canceled"
        assert said.code == 0
        assert total in said.out
        assert "The delivery log agrees, with 1 attempt." in said.out

    def test_is_provisional_before_the_end(self, shop: Service, program: Program) -> None:
        said = program("receipt", shop.start_and_plan(), "--json")
        assert said.code == 0
        assert said.json_lines[0]["provisional"]

    def test_with_a_difference_is_exit_code_1(self, shop: Service, program: Program) -> None:
        send_id = shop.start_and_plan()
        with shop.ledger.write() as connection:
            connection.execute(sa.update(tables.deliveries).values(state=DeliveryState.SENT))
        said = program("receipt", send_id)
        assert said.code == 1
        assert "email: 1 sent in the books, 0 in the log" in said.err

    def test_is_written_as_a_page(self, shop: Service, program: Program, tmp_path: Path) -> None:
        file = tmp_path / "receipt.html"
        said = program("receipt", shop.start_and_plan(), "--html", file)
        assert said.out.endswith(f"Written to {file}\n")
        assert file.read_text(encoding="utf-8").startswith("<!doctype html>")

    def test_a_page_that_cannot_be_written_is_an_error(
        self, shop: Service, program: Program, tmp_path: Path
    ) -> None:
        said = program("receipt", shop.start_and_plan(), "--html", tmp_path / "none" / "x.html")
        assert said.code == 1
        assert "cannot be written: No such file" in said.err
