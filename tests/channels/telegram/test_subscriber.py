from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from channels.base import AddressError
from channels.telegram.subscriber import SilentHours, Wishes, wishes


@pytest.mark.parametrize(
    ("hours", "clock", "is_silent"),
    [
        ("22:00-08:00", "23:00", True),
        ("22:00-08:00", "07:59", True),
        ("22:00-08:00", "08:00", False),
        ("9:30 – 10:00", "09:30", True),
        ("9:30-10:00", "10:00", False),
    ],
)
def test_silent_hours_may_cross_midnight(hours: str, clock: str, is_silent: bool) -> None:
    silent = SilentHours.parse(hours, "Asia/Shanghai")
    assert silent is not None
    at = datetime.fromisoformat(f"2026-03-02T{clock}").replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    assert silent.cover(at) is is_silent


def test_without_hours_nothing_is_silent() -> None:
    assert SilentHours.parse(" ", "UTC") is None


def test_attributes_say_how_a_subscriber_gets_posts() -> None:
    said = {"thread": "42", "silent_hours": "22:00-08:00", "time_zone": "UTC", "pin": "no"}
    assert wishes(said) == Wishes(42, "22:00-08:00", "UTC", False)
    assert wishes({"favourite": "tea"}) == Wishes()


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("thread", "first", "give its number"),
        ("silent_hours", "25:00-8:00", "22:00-08:00"),
        ("silent_hours", "at night", "22:00-08:00"),
        ("time_zone", "../etc/passwd", "Asia/Shanghai"),
        ("pin", "perhaps", "yes or no"),
    ],
)
def test_an_attribute_that_cannot_be_read_says_how_to_write_it(
    name: str, value: str, advice: str
) -> None:
    with pytest.raises(AddressError, match=advice) as raised:
        wishes({name: value})
    assert value in str(raised.value)
