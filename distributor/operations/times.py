"""Moments as scripts read them."""

from __future__ import annotations

from datetime import datetime
from typing import overload


@overload
def iso(moment: datetime) -> str: ...
@overload
def iso(moment: None) -> None: ...
@overload
def iso(moment: datetime | None) -> str | None: ...
def iso(moment: datetime | None) -> str | None:
    """ISO 8601 with milliseconds and offset; None for what has not happened."""
    return moment.isoformat(timespec="milliseconds") if moment else None
