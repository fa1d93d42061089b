"""When a send is to start: times as people write them, and which of them make sense."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from distributor.operations.errors import WrongRequest

#: Further ahead, a time is rather a slip of the pen.
FURTHEST = timedelta(days=366)
#: More than any two zones' clocks differ by.
_ANY_ZONE = timedelta(days=2)
#: A time and, after a blank, the name of a zone.
_WITH_ZONE = re.compile(r"(?P<time>.*\S)\s+(?P<zone>[A-Za-z][A-Za-z0-9_+/-]*)")
_EXAMPLES = "2026-11-26T08:00, 2026-11-26T08:00+08:00 or “2026-11-26 08:00 Asia/Shanghai”"


def read(text: str, now: datetime) -> datetime:
    """The moment that `text` names, aware: ISO 8601, with an offset or followed by an IANA zone.

    Without either it is a time of this machine's zone. Raises `WrongRequest` for what is no time,
    for one that the zone's clocks skip or show twice, and for one far from `now`.
    """
    with_zone = _WITH_ZONE.fullmatch(text.strip())
    local = _parsed(with_zone["time"] if with_zone else text.strip(), text)
    # At the ends of the calendar, a time has no counterpart in other zones.
    if abs(local.replace(tzinfo=UTC) - now) > FURTHEST + _ANY_ZONE:
        check(local.replace(tzinfo=UTC), now, text)
    if with_zone is None:
        return local if local.tzinfo else _resolved(local, None, text)
    if local.tzinfo is not None:
        raise WrongRequest(f"--at {text}: give an offset or a time zone, not both")
    return _resolved(local, _zone(with_zone["zone"], text), text)


def check(at: datetime, now: datetime, text: str | None = None) -> None:
    """Raise `WrongRequest` for a start that is past or too far away; `text` is how it was put."""
    said = text or at.isoformat()
    if at <= now:
        raise WrongRequest(f"--at {said} is past; to send now, leave it out")
    if at - now > FURTHEST:
        raise WrongRequest(f"--at {said} is more than a year ahead; check the year")


def _parsed(time: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(time)
    except ValueError as error:
        raise WrongRequest(f"--at {text}: not a time; write it like {_EXAMPLES}") from error


def _zone(name: str, text: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise WrongRequest(
            f"--at {text}: there is no time zone {name!r}; write an IANA name such as "
            "Asia/Shanghai, or an offset such as +08:00"
        ) from error


def _resolved(local: datetime, zone: ZoneInfo | None, text: str) -> datetime:
    """The one moment at which the zone's clocks show `local`; None is this machine's zone.

    Clocks that are put forward skip times, and those that are put back show times twice (PEP 495).
    """
    both = (_in_zone(local.replace(fold=fold), zone) for fold in (0, 1))
    # By their timestamps: within one zone, datetimes are compared by what the clocks show.
    first, second = sorted(both, key=datetime.timestamp)
    if first.timestamp() == second.timestamp():
        return first
    where = f"in {zone.key}" if zone else "here"
    if first.replace(tzinfo=None) != local:
        raise WrongRequest(
            f"--at {text}: clocks {where} skip that time when they are put forward; choose "
            f"another, such as {_minutes(second)}"
        )
    raise WrongRequest(
        f"--at {text}: clocks {where} show that time twice when they are put back; say by its "
        f"offset which one you mean: {_minutes(first)} or {_minutes(second)}"
    )


def _in_zone(local: datetime, zone: tzinfo | None) -> datetime:
    """There and back through UTC: what the clocks show at the moment that `local` is taken for."""
    return (local.replace(tzinfo=zone) if zone else local).astimezone(UTC).astimezone(zone)


def _minutes(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")
