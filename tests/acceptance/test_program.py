"""The program as its users meet it, from the first demo to the last unsubscribe."""

from __future__ import annotations

import signal
from email import message_from_bytes, policy
from typing import Any

import pytest
import requests

from tests.acceptance.conftest import NewMachine
from tests.support.platforms import Platforms
from tests.support.waiting import eventually

_SECONDS = 10


def test_the_demo_works_twice_in_a_row_and_leaves_nothing_running(
    new_machine: NewMachine, own_sandbox: dict[str, str]
) -> None:
    machine = new_machine(**own_sandbox)

    for _ in range(2):
        done = machine.run("demo")

        assert done.code == 0, done.err
        assert "The books balance: 214 intended, 214 accounted for." in done.out
        assert not machine.processes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_up_leaves_nothing_running_however_it_ends(
    new_machine: NewMachine, own_sandbox: dict[str, str], number: signal.Signals
) -> None:
    machine = new_machine(**own_sandbox)
    up = machine.start("up")
    eventually(lambda: machine.processes("redis.sock") and machine.processes("worker"))

    done = up.end(number)

    assert done.code == (0 if number is not signal.SIGKILL else -signal.SIGKILL)
    eventually(lambda: not machine.processes())


def test_up_takes_up_a_send_that_was_started_while_nothing_ran(
    new_machine: NewMachine, at_platforms: Platforms, mail_only: dict[str, str]
) -> None:
    machine = new_machine(**mail_only)
    machine.subscribe(("email", "reader@news.dev"))
    started = machine.run("send", machine.file, "--list", "daily")
    assert "No worker is running" in started.err

    machine.start("up")

    eventually(lambda: at_platforms.received("smtp"), within=60)


@pytest.mark.slow
def test_who_unsubscribes_with_one_click_is_left_out_of_the_next_send(
    new_machine: NewMachine, at_platforms: Platforms, mail_only: dict[str, str]
) -> None:
    machine = new_machine(**mail_only)
    machine.subscribe(("email", "stays@news.dev"), ("email", "leaves@news.dev"))
    assert machine.run(*machine.send()).code == 0
    machine.start("web")

    address = _unsubscribe_address(_only_mail_to("leaves@news.dev", at_platforms), at_platforms)
    answer = eventually(lambda: _one_click(address))
    assert answer.ok
    assert machine.run(*machine.send("--again")).code == 0

    received = [mail["address"] for mail in at_platforms.received("smtp")]
    assert received.count("stays@news.dev") == 2
    assert received.count("leaves@news.dev") == 1


def _only_mail_to(address: str, platforms: Platforms) -> dict[str, Any]:
    (mail,) = (one for one in platforms.received("smtp") if one["address"] == address)
    return mail


def _unsubscribe_address(mail: dict[str, Any], platforms: Platforms) -> str:
    """The address that a mail program posts to when its own unsubscribe button is pressed."""
    sandbox = platforms.environment["DISTRIBUTOR_ACCOUNTS_ROBOT_BASE_URL"]
    raw = requests.get(f"{sandbox}{mail['raw']}", timeout=_SECONDS).content
    message = message_from_bytes(raw, policy=policy.default)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    ways = [way.strip(" <>") for way in str(message["List-Unsubscribe"]).split(",")]
    return next(way for way in ways if way.startswith("http"))


def _one_click(address: str) -> requests.Response | None:
    """RFC 8058; None while the web pages are not served yet."""
    try:
        return requests.post(address, data={"List-Unsubscribe": "One-Click"}, timeout=_SECONDS)
    except requests.ConnectionError:
        return None
