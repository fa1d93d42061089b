"""Deliveries that are handed over in one call, where the platform takes many recipients at once."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from channels.base import Connection, Outcome
from channels.optional import GroupConnection
from distributor.ledger.deliveries import Change, Pending

#: No batch is larger: `sending.batch_size`.
_WHOLE_BATCH = 500


@dataclass(frozen=True, slots=True)
class InProgress:
    """A delivery under way: which try at the next part it is, and what was accepted so far."""

    delivery: Pending
    attempt: int
    #: Message ids of parts accepted since it was taken.
    since: tuple[str, ...] = ()

    @property
    def accepted(self) -> tuple[str, ...]:
        """Message ids of all accepted parts, in order."""
        return self.delivery.accepted + self.since

    def after(self, outcome: Outcome) -> InProgress:
        """The same before the next part."""
        gained = () if outcome.message_id is None else (outcome.message_id,)
        return replace(self, attempt=1, since=self.since + gained)


@dataclass(slots=True)
class SharedRetryTime:
    """Gives those who share an answer and have to wait the same time to come back.

    A platform that knows a call by its exact bytes can tell it again only with all of them in it.
    """

    _until: dict[tuple[int, int], datetime] = field(default_factory=dict)

    def of(self, outcome: Outcome, change: Change) -> Change:
        """`change` with the time that the first one with this answer got."""
        if change.next_attempt_at is None:
            return change
        until = self._until.setdefault((id(outcome), change.attempts), change.next_attempt_at)
        return replace(change, next_attempt_at=until)


def distinct_outcomes(
    group: Sequence[InProgress], outcomes: Sequence[Outcome]
) -> Iterable[tuple[InProgress, Outcome]]:
    """Each answer of a call once, with one of those who share it."""
    if len(group) == 1:
        return [(group[0], outcomes[0])]
    pairs = zip(group, outcomes, strict=True)
    return {id(outcome): (one, outcome) for one, outcome in pairs}.values()


def chunk_size(connection: Connection, of_lane: int) -> int:
    """How many deliveries to take: what the lane's pace says, or the whole batch for one call.

    A call that is made again after a crash must name the same recipients.
    """
    return _WHOLE_BATCH if isinstance(connection, GroupConnection) else of_lane


def groups(taken: Sequence[Pending], connection: Connection) -> list[list[Pending]]:
    """`taken` in their order: each alone, or those who came equally far together."""
    if not isinstance(connection, GroupConnection):
        return [[delivery] for delivery in taken]
    found: dict[tuple[int, int, int], list[Pending]] = {}
    for delivery in taken:
        equally_far = (delivery.rendering_id, delivery.accepted_parts, delivery.attempts)
        found.setdefault(equally_far, []).append(delivery)
    return list(found.values())


def probes(due: Sequence[Pending], connection: Connection) -> Iterator[list[Pending]]:
    """What may leave to find out whether anything does: one delivery each.

    Another one each time, and first those who were not refused yet: one that is always refused
    must not be the probe again and again. Those who were handed over together before, and may
    have got it, are not torn apart.
    """
    found = groups(due, connection)
    random.shuffle(found)
    for group in sorted(found, key=lambda group: group[0].attempts):
        yield group if group[0].attempts else group[:1]
