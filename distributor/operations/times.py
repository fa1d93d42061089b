"""Moments as scripts and as people read them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


@overload
def iso(moment: datetime) -> str: ...
@overload
def iso(moment: None) -> None: ...
@overload
def iso(moment: datetime | None) -> str | None: ...
def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, with milliseconds and offset; None for what has not happened."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds") if moment else None


def in_words(moment: datetime) -> str:
    """Date and time by the clocks of the moment's own zone, with its offset, and in UTC.

    Such as `2026-11-26 08:00 +08:00 (00:00 UTC)`; the date stands there again where it differs.
    """
    utc = moment.astimezone(UTC)
    if not moment.utcoffset():
        return f"{utc:%Y-%m-%d %H:%M} UTC"
    in_utc = f"{utc:%H:%M}" if utc.date() == moment.date() else f"{utc:%Y-%m-%d %H:%M}"
    return f"{moment:%Y-%m-%d %H:%M} {moment.isoformat()[-6:]} ({in_utc} UTC)"
