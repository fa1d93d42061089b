"""A send that nobody works on says so, and says what to do."""

from __future__ import annotations

import pytest

from distributor.ledger.states import SendState
from distributor.operations.roster import Roster, at_work, why_idle

EVERYBODY = ("worker:control", "worker:email", "worker:telegram", "scheduler")
WAITING = (SendState.SCHEDULED, SendState.PREPARING, SendState.SENDING)


def roster(*roles: str) -> Roster:
    return Roster(True, {role: ["here:1"] for role in roles})


def without(*missing: str) -> Roster:
    return roster(*(role for role in EVERYBODY if role not in missing))


@pytest.mark.parametrize("state", SendState)
def test_a_send_with_everybody_at_work_is_not_idle(state: SendState) -> None:
    assert why_idle(roster(*EVERYBODY), state, ["email", "telegram"]) == ()


@pytest.mark.parametrize("state", [state for state in SendState if state not in WAITING])
def test_a_send_that_waits_for_a_person_or_has_ended_is_not_idle(state: SendState) -> None:
    assert why_idle(Roster(False), state, ["email"]) == ()


def test_each_channel_without_a_worker_is_named_with_the_command_that_helps() -> None:
    missing = without("worker:email", "worker:telegram")
    (sentence,) = why_idle(missing, SendState.SENDING, ["email", "telegram"])
    assert sentence.startswith("Nobody works on email and telegram: ")
    assert "distributor worker --channel email --channel telegram" in sentence


def test_a_channel_with_nothing_left_to_do_needs_no_worker() -> None:
    assert why_idle(without("worker:email"), SendState.SENDING, ["telegram"]) == ()


@pytest.mark.parametrize(
    ("role", "command"),
    [
        ("worker:control", "distributor worker --channel control"),
        ("scheduler", "distributor scheduler"),
    ],
)
@pytest.mark.parametrize("state", WAITING)
def test_a_missing_scheduler_or_planner_is_named(state: SendState, role: str, command: str) -> None:
    (sentence,) = why_idle(without(role), state, ["email"])
    assert command in sentence


def test_without_redis_nobody_is_seen() -> None:
    (sentence,) = why_idle(Roster(False), SendState.SENDING, ["email"])
    assert "Redis does not answer" in sentence


def test_who_is_at_work_is_told_by_role() -> None:
    processes = {"scheduler": ["a:1"], "worker:email": ["a:2", "b:3"], "worker:control": ["a:2"]}
    told = at_work(Roster(True, processes))
    assert told == "At work: scheduler, worker:control, worker:email (2)."


def test_nobody_at_work_is_told_too() -> None:
    assert at_work(roster()) == "No program is at work."
    assert at_work(Roster(False)) == "No program is seen at work: Redis does not answer."
