"""Processes are killed in the middle of a send, and nobody is lost."""

from __future__ import annotations

import signal
from collections import Counter, defaultdict
from collections.abc import Sequence

import pytest

from tests.acceptance.conftest import NewMachine
from tests.acceptance.machine import Machine, Running
from tests.support.platforms import Platforms
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

_LANES = 4
_CHATS = [("telegram", address) for address in ("@a_channel", "-1001748201733", "720185614")]
_GROUPS = [
    ("wechat", "7d0f6c1e-58a3-4e0b-9a41-c2b3f1d8e601"),
    ("wechat", "b92e44d7-0c36-4f5a-8f17-3ad95e7b21f4"),
]


def readers(number: int) -> Sequence[tuple[str, str]]:
    return [("email", f"reader-{one}@news.dev") for one in range(number)]


def mails(platforms: Platforms) -> Counter[str]:
    """How many copies each reader has received."""
    return Counter(str(mail["address"]) for mail in platforms.received("smtp"))


def wait_for_mails(platforms: Platforms, number: int, sending: Running) -> None:
    def arrived() -> bool:
        assert sending.process.poll() is None, sending.end().err
        return mails(platforms).total() >= number

    eventually(arrived, within=60)


def answer_slowly(platforms: Platforms) -> None:
    """So that a send to 90 would last another ten seconds when it is interrupted.

    Once it was, let the platforms behave: what is left is as quick as ever.
    """
    platforms.misbehave("smtp", "slow", seconds=0.5, stage="data")


def test_every_recipient_is_reached_while_email_workers_are_killed(
    new_machine: NewMachine, at_platforms: Platforms
) -> None:
    machine = new_machine(**at_platforms.environment)
    machine.subscribe(*readers(200), *_CHATS, *_GROUPS)
    answer_slowly(at_platforms)

    sending = machine.start(*machine.send())
    kill_after = (8, 20)
    for number in kill_after:
        wait_for_mails(at_platforms, number, sending)
        machine.kill("worker", "--channel", "email")
    at_platforms.behave()
    done = sending.end()

    assert done.code == 0, done.err
    books = done.json["books"]
    assert (books["intended"], books["sent"]) == (205, 205)
    received = mails(at_platforms)
    assert len(received) == 200
    assert received.total() - 200 <= len(kill_after) * _LANES
    assert_copies_are_the_same_message(at_platforms)
    assert {m["address"] for m in at_platforms.received("wecom")} == {key for _, key in _GROUPS}
    assert len({message["address"] for message in at_platforms.received("telegram")}) == 3


def test_every_recipient_is_reached_when_redis_is_killed(
    new_machine: NewMachine, at_platforms: Platforms, mail_only: dict[str, str]
) -> None:
    machine = new_machine(**mail_only)
    machine.subscribe(*readers(90))
    answer_slowly(at_platforms)

    sending = machine.start(*machine.send())
    wait_for_mails(at_platforms, 6, sending)
    machine.kill("redis.sock")
    at_platforms.behave()
    done = sending.end()

    assert done.code == 0, done.err
    assert done.json["books"]["sent"] == 90
    assert set(mails(at_platforms).values()) == {1}


def test_the_same_command_finishes_what_a_killed_one_left(
    new_machine: NewMachine, at_platforms: Platforms, mail_only: dict[str, str]
) -> None:
    machine = new_machine(**mail_only)
    machine.subscribe(*readers(90))
    answer_slowly(at_platforms)

    sending = machine.start(*machine.send())
    wait_for_mails(at_platforms, 6, sending)
    sending.end(signal.SIGKILL)
    assert_nothing_runs(machine)
    at_platforms.behave()
    done = machine.run(*machine.send())

    assert done.code == 0, done.err
    assert (done.json["send"], done.json["books"]["sent"]) == (1, 90)
    received = mails(at_platforms)
    assert len(received) == 90
    assert received.total() - 90 <= _LANES
    assert_nothing_runs(machine)


def test_ctrl_c_says_how_to_go_on_and_nobody_gets_a_second_copy(
    new_machine: NewMachine, at_platforms: Platforms, mail_only: dict[str, str]
) -> None:
    machine = new_machine(**mail_only)
    machine.subscribe(*readers(100))
    answer_slowly(at_platforms)

    sending = machine.start(*machine.send())
    wait_for_mails(at_platforms, 6, sending)
    interrupted = sending.end(signal.SIGINT)
    assert_nothing_runs(machine)
    at_platforms.behave()
    done = machine.run(*machine.send())

    assert interrupted.code == 130
    assert "Nothing is lost; continue with: distributor up" in interrupted.err
    assert "Traceback" not in interrupted.err
    assert done.json["books"]["sent"] == 100
    assert set(mails(at_platforms).values()) == {1}


def assert_copies_are_the_same_message(platforms: Platforms) -> None:
    """A mail program shows one of several messages with the same Message-ID."""
    ids = defaultdict(set)
    for mail in platforms.received("smtp"):
        ids[mail["address"]].add(mail["message_id"])
    assert {len(one) for one in ids.values()} == {1}


def assert_nothing_runs(machine: Machine) -> None:
    eventually(lambda: not machine.processes())
