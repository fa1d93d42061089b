"""Reading the delivery log: every attempt of every recipient of a send."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import tables, tallies
from distributor.ledger.identifiers import identifier_in
from distributor.ledger.states import DeliveryState
from distributor.ledger.tables import attempts, batches, deliveries, subscribers


@dataclass(frozen=True, slots=True)
class Entry:
    """One attempt, or a delivery that was never attempted (`part` and `attempt` are None)."""

    delivery: int
    subscriber: int
    channel: str
    address: str
    #: What the delivery is now.
    state: DeliveryState
    part: int | None
    attempt: int | None
    at: datetime
    #: What this attempt came to; the delivery's state where there was none.
    outcome: DeliveryState
    code: str | None
    reply: str | None
    message_id: str | None
    worker: str | None
    duration_ms: int | None


@dataclass(frozen=True, slots=True)
class Reason:
    """Deliveries of one state and code, with an example of the platform's words."""

    channel: str
    state: DeliveryState
    code: str
    reply: str
    number: int


@dataclass(frozen=True, slots=True)
class SubscriberQuery:
    """One subscriber as a person wrote them; digits may be an id or an address, and both fit."""

    #: As it was written: a subscriber's id, or an address as a send went to it.
    text: str
    #: The channels on which it may be an address, with the address in canonical form.
    readings: Collection[tuple[str, str]] = ()

    def fits(self, table: sa.Table) -> sa.ColumnElement[bool]:
        """True of the rows whose channel and address may be meant."""
        address, pair = table.c.address, sa.tuple_(table.c.channel, table.c.address)
        return sa.and_(
            # For the index: a database may not see this in the alternatives.
            address.in_({self.text, *(canonical for _, canonical in self.readings)}),
            sa.or_(address == self.text, pair.in_(self.readings)),
        )


def entries(
    connection: Connection,
    send_id: int,
    *,
    state: DeliveryState | None = None,
    subscriber: SubscriberQuery | None = None,
) -> Iterator[Entry]:
    """The log of a send in order of deliveries, then of attempts."""
    query = (
        sa.select(
            deliveries.c.id.label("delivery"),
            deliveries.c.subscriber_id.label("subscriber"),
            deliveries.c.channel,
            deliveries.c.address,
            deliveries.c.state,
            attempts.c.part,
            attempts.c.number.label("attempt"),
            sa.func.coalesce(attempts.c.at, deliveries.c.updated_at).label("at"),
            sa.func.coalesce(attempts.c.outcome, deliveries.c.state).label("outcome"),
            sa.func.coalesce(attempts.c.code, deliveries.c.code).label("code"),
            sa.func.coalesce(attempts.c.reply, deliveries.c.reply).label("reply"),
            attempts.c.message_id,
            attempts.c.worker,
            attempts.c.duration_ms,
        )
        .select_from(deliveries.outerjoin(attempts, attempts.c.delivery_id == deliveries.c.id))
        .where(deliveries.c.send_id == send_id)
        .order_by(deliveries.c.id, attempts.c.id)
    )
    if state is not None:
        query = query.where(tables.in_state(state))
    if subscriber is not None:
        query = query.where(is_of(connection, send_id, subscriber))
    for row in connection.execution_options(yield_per=1000).execute(query).mappings():
        yield Entry(**row)


def is_of(
    connection: Connection, send_id: int, subscriber: SubscriberQuery
) -> sa.ColumnElement[bool]:
    """True of a send's deliveries to `subscriber`."""
    channels = sa.select(batches.c.channel).where(batches.c.send_id == send_id)
    known = sa.select(subscribers.c.id).where(
        subscribers.c.channel.in_(channels), subscriber.fits(subscribers)
    )
    ids = list(connection.execute(known).scalars())
    # More digits than an id has are some platform's address.
    if (number := identifier_in(subscriber.text)) is not None:
        ids.append(number)
    # A subscriber who has moved since is found by the address that the send went to, slowly.
    return deliveries.c.subscriber_id.in_(ids) if ids else subscriber.fits(deliveries)


def reasons(
    connection: Connection,
    send_id: int,
    *states: DeliveryState,
    also: str | None = None,
    exact: bool = False,
) -> tuple[Reason, ...]:
    """Why deliveries are in `states`, or ended with the code `also`; the most frequent first.

    `exact`: as in the books.
    """
    by_tallies = tallies.are_kept(connection) and not exact
    table = tables.tallies if by_tallies else deliveries
    number = sa.func.sum(tables.tallies.c.number) if by_tallies else sa.func.count()
    code = sa.func.coalesce(table.c.code, "")
    wanted: sa.ColumnElement[bool] = table.c.state.in_(states)
    if also is not None:
        wanted = sa.or_(wanted, table.c.code == also)
    rows = connection.execute(
        sa.select(
            table.c.channel,
            table.c.state,
            code,
            sa.func.coalesce(sa.func.max(table.c.reply), ""),
            number,
        )
        .where(table.c.send_id == send_id, wanted)
        .group_by(table.c.channel, table.c.state, code)
        .having(number != 0)
        .order_by(number.desc(), table.c.channel, code)
    )
    return tuple(Reason(*row[:-1], int(row[-1])) for row in rows)
