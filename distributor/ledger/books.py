"""The books of a send: how many deliveries are in each state, and whether they add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

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
        return sum(self.counts.values()) - self.open

    def as_json(self) -> dict[str, int]:
        """`intended` and every state, zeros included."""
        return {"intended": self.intended} | {state.value: self[state] for state in DeliveryState}


@dataclass(frozen=True, slots=True)
class SendBooks:
    total: Books
    #: By channel name, in alphabetical order.
    channels: Mapping[str, Books]


def of_send(connection: Connection, send_id: int) -> SendBooks:
    """The books of one send, counted now."""
    return of_sends(connection, [send_id])[send_id]


def of_sends(connection: Connection, send_ids: list[int]) -> dict[int, SendBooks]:
    """The books of several sends in one query."""
    intended = {
        row.id: row.intended or 0
        for row in connection.execute(
            sa.select(sends.c.id, sends.c.intended).where(sends.c.id.in_(send_ids))
        )
    }
    counted = connection.execute(
        sa.select(deliveries.c.send_id, deliveries.c.channel, deliveries.c.state, sa.func.count())
        .where(deliveries.c.send_id.in_(send_ids))
        .group_by(deliveries.c.send_id, deliveries.c.channel, deliveries.c.state)
        .order_by(deliveries.c.channel)
    ).all()
    by_send: dict[int, dict[str, dict[DeliveryState, int]]] = {send: {} for send in send_ids}
    for send_id, channel, state, number in counted:
        by_send[send_id].setdefault(channel, {})[state] = number
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
