"""When a send starts: every time that people write is one moment, or is refused with words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distributor.operations import start_time
from distributor.operations.errors import WrongRequest
from distributor.operations.times import in_words

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
BERLIN = "Europe/Berlin"


@pytest.fixture
def _in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine's clocks are those of Berlin."""
    monkeypatch.setenv("TZ", BERLIN)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def read(text: str) -> str:
    """The moment as it is told to people."""
    return in_words(start_time.read(text, NOW))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-26T08:00+08:00", "2026-11-26 08:00 +08:00 (00:00 UTC)"),
        ("2026-11-26T08:00Z", "2026-11-26 08:00 UTC"),
        ("2026-11-26 08:00 Asia/Shanghai", "2026-11-26 08:00 +08:00 (00:00 UTC)"),
        ("2026-11-26T07:00  Asia/Shanghai ", "2026-11-26 07:00 +08:00 (2026-11-25 23:00 UTC)"),
        ("2026-11-26 08:00 UTC", "2026-11-26 08:00 UTC"),
        ("2026-11-26 Asia/Shanghai", "2026-11-26 00:00 +08:00 (2026-11-25 16:00 UTC)"),
    ],
)
def test_a_time_has_an_offset_or_the_name_of_a_zone(text: str, moment: str) -> None:
    assert read(text) == moment


@pytest.mark.usefixtures("_in_berlin")
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-24T08:00", "2026-10-24 08:00 +02:00 (06:00 UTC)"),
        ("2026-11-26T08:00", "2026-11-26 08:00 +01:00 (07:00 UTC)"),
    ],
)
def test_without_either_it_is_a_time_of_this_machine(text: str, moment: str) -> None:
    assert read(text) == moment


@pytest.mark.usefixtures("_in_berlin")
@pytest.mark.parametrize("zone", ["", f" {BERLIN}"], ids=["machine", "named"])
class TestWhereClocksChange:
    def test_a_time_that_they_skip_is_refused(self, zone: str) -> None:
        with pytest.raises(WrongRequest, match=r"skip that time .* 2027-03-28T03:30\+02:00"):
            read(f"2027-03-28T02:30{zone}")

    def test_a_time_that_they_show_twice_wants_an_offset(self, zone: str) -> None:
        choices = r"twice .* 2026-10-25T02:30\+02:00 or 2026-10-25T02:30\+01:00"
        with pytest.raises(WrongRequest, match=choices):
            read(f"2026-10-25T02:30{zone}")

    @pytest.mark.parametrize("text", ["2027-03-28T01:59", "2027-03-28T03:00", "2026-10-25T03:00"])
    def test_the_times_beside_are_taken(self, text: str, zone: str) -> None:
        assert read(f"{text}{zone}").startswith(text.replace("T", " "))


@given(
    st.datetimes(datetime(2026, 10, 3), datetime(2027, 9, 29)),
    st.sampled_from([BERLIN, "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"]),
)
def test_a_time_that_is_taken_is_what_the_clocks_show_at_one_moment(
    local: datetime, zone: str
) -> None:
    try:
        moment = start_time.read(f"{local.isoformat()} {zone}", NOW)
    except WrongRequest:
        either = [local.replace(tzinfo=ZoneInfo(zone), fold=fold).utcoffset() for fold in (0, 1)]
        assert either[0] != either[1]
    else:
        assert moment.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("soon", "not a time"),
        ("2026-13-01", "not a time"),
        ("Asia/Shanghai", "not a time"),
        ("2026-11-26 08:00 Asia/Shanghi", "there is no time zone 'Asia/Shanghi'"),
        ("2026-11-26 08:00 Asia", "there is no time zone 'Asia'"),
        ("2026-11-26T08:00+08:00 Asia/Shanghai", "an offset or a time zone, not both"),
        ("9999-12-31T23:59", "more than a year ahead"),
        ("9999-12-31T23:59-12:00", "more than a year ahead"),
        ("9999-12-31T23:59 America/New_York", "more than a year ahead"),
        ("0001-01-01T00:00", "is past"),
        ("0001-01-01T00:00+14:00", "is past"),
        ("0001-01-01T00:00 Asia/Shanghai", "is past"),
    ],
)
def test_what_is_no_moment_near_now_is_refused(text: str, words: str) -> None:
    with pytest.raises(WrongRequest, match=words):
        start_time.read(text, NOW)


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(0), "is past"),
        (timedelta(seconds=-1), "is past"),
        (timedelta(days=366, seconds=1), "more than a year ahead"),
    ],
)
def test_a_start_is_within_a_year_from_now(ahead: timedelta, words: str) -> None:
    start_time.check(NOW + timedelta(seconds=1), NOW)
    start_time.check(NOW + timedelta(days=366), NOW)
    with pytest.raises(WrongRequest, match=words):
        start_time.check(NOW + ahead, NOW)
