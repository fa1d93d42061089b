"""What a subscriber's attributes say about how they get their posts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from channels.base import AddressError

#: Id of the topic of a forum that posts go to.
THREAD = "thread"
#: Hours within which posts make no sound, such as `22:00-08:00`.
SILENT_HOURS = "silent_hours"
#: IANA time zone of the silent hours.
TIME_ZONE = "time_zone"
#: `no` where posts shall not be pinned.
PIN = "pin"

_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})", re.ASCII)
_THREAD = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
_YES_NO = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class SilentHours:
    """A stretch of the day, across midnight when it ends before it begins."""

    begin: time
    end: time
    zone: ZoneInfo

    @classmethod
    def parse(cls, hours: str, zone: str) -> Self | None:
        """`22:00-08:00` in `zone`; None when `hours` is empty. Raises `ValueError`."""
        try:
            known = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{zone!r} is no time zone: write it as in Asia/Shanghai") from None
        if not hours.strip():
            return None
        wrong = ValueError(f"{hours!r} are no hours of the day: write them as in 22:00-08:00")
        found = _HOURS.fullmatch(hours.strip())
        if found is None:
            raise wrong
        hour, minute, to_hour, to_minute = map(int, found.groups())
        try:
            return cls(time(hour, minute), time(to_hour, to_minute), known)
        except ValueError:
            raise wrong from None

    def cover(self, at: datetime) -> bool:
        """Whether the aware time `at` is within them."""
        clock = at.astimezone(self.zone).time()
        if self.begin <= self.end:
            return self.begin <= clock < self.end
        return clock >= self.begin or clock < self.end


@dataclass(frozen=True, slots=True)
class Wishes:
    """How one subscriber gets their posts; what is None is left to the account."""

    thread: int | None = None
    #: As written, checked.
    silent_hours: str | None = None
    time_zone: str | None = None
    pin: bool | None = None


def wishes(attributes: Mapping[str, str]) -> Wishes:
    """What `attributes` say. Raises `AddressError` naming what cannot be read."""
    thread = attributes.get(THREAD, "")
    if thread and not _THREAD.fullmatch(thread):
        raise AddressError(f"{THREAD}={thread!r} is no topic of a group: give its number")
    hours, zone = attributes.get(SILENT_HOURS), attributes.get(TIME_ZONE)
    try:
        SilentHours.parse(hours or "", zone or "UTC")
    except ValueError as error:
        raise AddressError(str(error)) from None
    pin = attributes.get(PIN, "")
    if pin and pin not in _YES_NO:
        raise AddressError(f"{PIN}={pin!r}: write yes or no")
    return Wishes(int(thread) if thread else None, hours, zone or None, _YES_NO.get(pin))
