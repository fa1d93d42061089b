"""Waiting for what another thread or process will do, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")

_PAUSE_SECONDS = 0.02


def eventually(look: Callable[[], _T | None], within: float = 60) -> _T:
    """The first true answer of `look`; fails when there is none within so many seconds."""
    deadline = time.monotonic() + within
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} seconds; last seen: {seen!r}")
        time.sleep(_PAUSE_SECONDS)
    return seen
