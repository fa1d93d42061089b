"""What every source of bounces has in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

#: Acts on the bytes of a message and whom it was delivered to (empty where that is not known).
#: Returns whether it was a report, so that the source may put it away; what is none is left for
#: people to read.
Take: TypeAlias = Callable[[bytes, str], bool]


class SourceUnreachable(Exception):
    """A mailbox that cannot be read; the text says which, why, and what to do."""
