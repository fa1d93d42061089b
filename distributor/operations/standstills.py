"""What stands still although everybody gives signs of life, in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from distributor.ledger.standstills import Standstill


def of_send(found: Iterable[Standstill], send_id: int, at: datetime) -> tuple[str, ...]:
    """A sentence for each standstill of the send, at that moment."""
    return tuple(sentence(one, at) for one in found if one.send_id == send_id)


def sentence(one: Standstill, at: datetime) -> str:
    """What does not move, since when, and what to do."""
    since = f"for {(at - one.since).total_seconds():.0f} seconds, since {one.since:%H:%M:%S} UTC"
    if one.channel is None:
        return (
            f"It should have begun and has not {since}: "
            "see what the workers for control and the scheduler log, and: distributor doctor"
        )
    return (
        f"Nobody takes what is due on {one.channel} {since}: see what the workers for "
        f"{one.channel} and control log, and: distributor doctor"
    )
