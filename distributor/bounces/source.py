"""What every source of bounces has in common."""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import Enum, auto
from typing import TypeAlias

_log = logging.getLogger(__name__)


class Disposal(Enum):
    """What the source does with a message that it has handed over."""

    #: Taken in, and there is nothing in it to be read by a person: it is put away.
    PUT_AWAY = auto()
    #: A letter, taken in as well: it stays for people to read, and is not handed over again where
    #: the source can tell.
    LEAVE = auto()
    #: A report about what is still under way, not taken in yet: it stays as it is, for the next
    #: look, and a mail server keeps it for now.
    LATER = auto()


#: Acts on the bytes of a message and whom it was delivered to (empty where that is not known).
#: Raises `NotTaken`.
Take: TypeAlias = Callable[[bytes, str], Disposal]


class NotTaken(Exception):
    """A message could not be taken in because of what is in it; its cause says why."""


class SourceUnreachable(Exception):
    """A mailbox that cannot be read; the text says which, why, and what to do."""


def hand_over(take: Take, octets: bytes, place: str) -> Disposal:
    """Have a message taken in; one that fails is logged and stays, and holds up no other.

    `place`: where it lies, for people.
    """
    try:
        return take(octets, "")
    except NotTaken:
        _log.exception("%s could not be taken in and stays where it is", place)
        return Disposal.LATER
