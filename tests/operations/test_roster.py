"""A send that nobody works on says so, and says what to do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from distributor import settings as configuration
from distributor.engine import broker, heartbeat
from distributor.engine.processes import beating, redis_at_hand
from distributor.ledger.states import SendState
from distributor.operations.roster import Roster, at_work, look, why_idle
from distributor.settings import Settings
from tests.support.waiting import eventually

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


def test_a_sweep_that_does_not_come_is_told_although_everybody_is_alive() -> None:
    late = replace(roster(*EVERYBODY), seconds_since_sweep=95.4, sweep_is_late=True)
    (sentence,) = why_idle(late, SendState.SENDING, ["email"])
    assert "the last sweep over the ledger ended 95 seconds ago" in sentence


def test_who_is_missing_explains_why_no_sweep_comes() -> None:
    late = replace(without("scheduler"), seconds_since_sweep=95.4, sweep_is_late=True)
    (sentence,) = why_idle(late, SendState.SENDING, ["email"])
    assert "distributor scheduler" in sentence


def test_clocks_may_differ_a_little() -> None:
    seen = Roster(True, seconds_ahead={"a:1": 1.9, "b:2": 2.1, "c:3": -1.9, "d:4": -90.0})
    assert seen.wrong_clocks == {"b": 2.1, "d": -90.0}


class TestWhatRedisKnows:
    @pytest.fixture
    def settings(self, tmp_path: Path) -> Iterator[Settings]:
        mine = configuration.load(environ={"DISTRIBUTOR_STORAGE_VAR": str(tmp_path)})
        with redis_at_hand(mine):
            yield mine

    def test_a_process_tells_how_far_its_clock_is_from_that_of_redis(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ahead = ClockAhead(90)
        monkeypatch.setattr(heartbeat, "time", ahead)
        with beating(settings, ["worker:email"]):
            seen = eventually(lambda: look(settings).seconds_ahead)
        assert list(seen.values()) == [pytest.approx(90, abs=1)]

    @pytest.mark.parametrize(("seconds", "is_late"), [(20, False), (40, True)])
    def test_a_sweep_is_late_after_half_a_minute(
        self, settings: Settings, seconds: float, is_late: bool
    ) -> None:
        assert look(settings).seconds_since_sweep is None
        with broker.client(settings) as client:
            now, _ = client.time()
            client.set("distributor:last-sweep", now - seconds)
        seen = look(settings)
        assert seen.seconds_since_sweep == pytest.approx(seconds, abs=5)
        assert seen.sweep_is_late is is_late

    def test_one_that_should_run_seldom_is_late_later(self, settings: Settings) -> None:
        seldom = configuration.load(
            environ={
                "DISTRIBUTOR_STORAGE_VAR": str(settings.var),
                "DISTRIBUTOR_SENDING_SWEEP_SECONDS": "60",
            }
        )
        with broker.client(settings) as client:
            now, _ = client.time()
            client.set("distributor:last-sweep", now - 120)
        assert not look(seldom).sweep_is_late


class ClockAhead:
    """In the place of the module `time`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def time(self) -> float:
        return time.time() + self._seconds
