"""The books of a send: how many deliveries are in each state, and whether they add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import tables, tallies
from distributor.ledger.states import OPEN_STATES, DeliveryState
from distributor.ledger.tables import deliveries, sends


@dataclass(frozen=True, slots=True)
class Books:
    """Deliveries by state, beside the number that was intended when the audience was frozen."""

    intended: int
    counts: Mapping[DeliveryState, int]

    def __getitem__(self, state: DeliveryState) -> int:
        return self.counts.get(state, 0)

    @property
    def balanced(self) -> bool:
        """Every recipient that was intended is in exactly one state."""
        return self.intended == sum(self.counts.values())

    @property
    def open(self) -> int:
        """Deliveries that still need work."""
        return sum(self[state] for state in OPEN_STATES)

    @property
    def ended(self) -> int:
        """How many deliveries need no more work."""
        return sum(self.counts.values()) - self.open

    def as_json(self) -> dict[str, int]:
        """`intended` and every state, zeros included."""
        return {"intended": self.intended} | {state.value: self[state] for state in DeliveryState}


@dataclass(frozen=True, slots=True)
class SendBooks:
    """The books of a send, whole and by channel."""

    total: Books
    #: By channel name, in alphabetical order.
    channels: Mapping[str, Books]


def of_send(connection: Connection, send_id: int, *, exact: bool = False) -> SendBooks:
    """The books of one send; `exact` as in `of_sends`."""
    return of_sends(connection, [send_id], exact=exact)[send_id]


def of_sends(
    connection: Connection, send_ids: list[int], *, exact: bool = False
) -> dict[int, SendBooks]:
    """The books of several sends in one query.

    On PostgreSQL they are added up from the tallies, which is fast whatever the size of a send;
    `exact` counts the deliveries themselves, as those do who have to prove something.
    """
    intended = {
        row.id: row.intended or 0
        for row in connection.execute(
            sa.select(sends.c.id, sends.c.intended).where(sends.c.id.in_(send_ids))
        )
    }
    by_tallies = tallies.are_kept(connection) and not exact
    table = tables.tallies if by_tallies else deliveries
    number = sa.func.sum(tables.tallies.c.number) if by_tallies else sa.func.count()
    counted = connection.execute(
        sa.select(table.c.send_id, table.c.channel, table.c.state, number)
        .where(table.c.send_id.in_(send_ids))
        .group_by(table.c.send_id, table.c.channel, table.c.state)
        .having(number != 0)
        .order_by(table.c.channel)
    ).all()
    by_send: dict[int, dict[str, dict[DeliveryState, int]]] = {send: {} for send in send_ids}
    for send_id, channel, state, number in counted:
        by_send[send_id].setdefault(channel, {})[state] = int(number)
    return {
        send_id: SendBooks(
            total=Books(intended.get(send_id, 0), _sum(channels)),
            channels={
                channel: Books(sum(counts.values()), counts) for channel, counts in channels.items()
            },
        )
        for send_id, channels in by_send.items()
    }


def _sum(channels: Mapping[str, Mapping[DeliveryState, int]]) -> dict[DeliveryState, int]:
    total: dict[DeliveryState, int] = {}
    for counts in channels.values():
        for state, number in counts.items():
            total[state] = total.get(state, 0) + number
    return total
