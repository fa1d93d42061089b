"""What operators decide about deliveries: to try again what failed, what is taken as sent.

A caller locks the send first (`steering.lock`). Each decision is written into the delivery log, by
whom and what, beside the tries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import attempts, log, strikes, tables
from distributor.ledger.attempts import OPERATOR, Attempt
from distributor.ledger.log import SubscriberQuery
from distributor.ledger.sends import Send
from distributor.ledger.states import DeliveryState, SendState
from distributor.ledger.tables import deliveries, suppressions

#: Deliveries that are moved at a time: keeps memory flat, whatever the size of the send.
_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Selection:
    """Which deliveries of a send are meant; what is left empty fits all."""

    codes: Collection[str] = ()
    channels: Collection[str] = ()
    subscriber: SubscriberQuery | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What an operator decided about deliveries, as the log will tell it."""

    code: str
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A delivery that an operator decides about."""

    id: int
    rendering_id: int
    channel: str
    address: str
    #: How many parts the platform has accepted.
    accepted: int


def requeue(
    connection: Connection,
    send_id: int,
    state: DeliveryState,
    selection: Selection,
    decision: Decision,
) -> int:
    """Put chosen deliveries that ended in `state` back to work; returns how many.

    Parts that the platform accepted are not sent again. Suppressed addresses are left out.
    """
    number = 0
    for chosen in _chunks(
        connection, sa.and_(_fits(connection, send_id, state, selection), ~_suppressed())
    ):
        _note(connection, chosen, DeliveryState.QUEUED, decision)
        _decide(connection, chosen, DeliveryState.QUEUED, decision)
        _take_back_strikes(connection, chosen, send_id)
        number += len(chosen)
    return number


def resolve_as_sent(
    connection: Connection, send: Send, selection: Selection, decision: Decision
) -> tuple[int, int]:
    """Take the part that is in doubt as accepted, in chosen deliveries that are unknown.

    Returns how many are sent by that, and how many have parts left: those are queued again, or
    canceled where the send was.
    """
    sizes = part_counts(connection, send.id)
    is_over = send.state is SendState.CANCELED
    onward = DeliveryState.CANCELED if is_over else DeliveryState.QUEUED
    complete = partial = 0
    for chosen in _chunks(connection, _fits(connection, send.id, DeliveryState.UNKNOWN, selection)):
        noted = _note(connection, chosen, DeliveryState.SENT, decision)
        attempts.keep_parts(connection, noted)
        whole = [row for row in chosen if row.accepted + 1 >= sizes[row.rendering_id]]
        rest = [row for row in chosen if row.accepted + 1 < sizes[row.rendering_id]]
        _decide(connection, whole, DeliveryState.SENT, decision)
        _decide(connection, rest, onward, decision)
        complete += len(whole)
        partial += len(rest)
    return complete, partial


def part_counts(connection: Connection, send_id: int) -> dict[int, int]:
    """How many parts each rendering of a send has."""
    frozen = tables.renderings.c
    query = sa.select(frozen.id, sa.func.json_array_length(frozen.parts))
    rows = connection.execute(query.where(frozen.send_id == send_id))
    return {row[0]: row[1] for row in rows}


def count_suppressed(
    connection: Connection, send_id: int, state: DeliveryState, selection: Selection
) -> int:
    """Chosen deliveries whose address must not be sent to any more."""
    query = sa.select(sa.func.count()).select_from(deliveries)
    number: int = connection.execute(
        query.where(_fits(connection, send_id, state, selection), _suppressed())
    ).scalar_one()
    return number


def _chunks(connection: Connection, where: sa.ColumnElement[bool]) -> Iterator[Sequence[_Chosen]]:
    """The deliveries for which `where` is true, locked, some at a time."""
    parts = tables.parts
    accepted = (
        sa.select(sa.func.count())
        .where(parts.c.delivery_id == deliveries.c.id, parts.c.state == DeliveryState.SENT)
        .scalar_subquery()
    )
    query = (
        sa.select(
            deliveries.c.id,
            deliveries.c.rendering_id,
            deliveries.c.channel,
            deliveries.c.address,
            accepted.label("accepted"),
        )
        .where(where)
        .order_by(deliveries.c.id)
        .limit(_CHUNK)
        .with_for_update(key_share=True, of=deliveries)
    )
    last = 0
    while rows := connection.execute(query.where(deliveries.c.id > last)).all():
        chosen = [_Chosen(*row) for row in rows]
        yield chosen
        last = chosen[-1].id


def _note(
    connection: Connection,
    chosen: Sequence[_Chosen],
    outcome: DeliveryState,
    decision: Decision,
) -> list[Attempt]:
    """Add the operator's decision to the delivery log, with the number 0: it is no try."""
    notes = [
        Attempt(
            delivery_id=row.id,
            part=row.accepted + 1,
            number=0,
            at=decision.at,
            outcome=outcome,
            code=decision.code,
            reply=decision.words,
            message_id=None,
            worker=OPERATOR,
            duration_ms=0,
        )
        for row in chosen
    ]
    attempts.add(connection, notes)
    return notes


def _decide(
    connection: Connection,
    chosen: Sequence[_Chosen],
    state: DeliveryState,
    decision: Decision,
) -> None:
    values: dict[str, Any] = {
        "state": state,
        "next_attempt_at": None,
        "code": decision.code,
        # What waits has no answer yet: the log has the operator's words.
        "reply": None if state is DeliveryState.QUEUED else decision.words,
        "updated_at": decision.at,
    }
    if state is DeliveryState.QUEUED:
        values["attempts"] = 0
    ids = [row.id for row in chosen]
    connection.execute(sa.update(deliveries).where(deliveries.c.id.in_(ids)).values(values))


def _take_back_strikes(connection: Connection, chosen: Sequence[_Chosen], send_id: int) -> None:
    """What this send noted against the addresses is found out anew."""
    addresses = defaultdict(list)
    for row in chosen:
        addresses[row.channel].append(row.address)
    for channel, those in addresses.items():
        strikes.take_back(connection, channel, those, send_id=send_id)


def _fits(
    connection: Connection, send_id: int, state: DeliveryState, selection: Selection
) -> sa.ColumnElement[bool]:
    conditions = [deliveries.c.send_id == send_id, tables.in_state(state)]
    if selection.codes:
        conditions.append(deliveries.c.code.in_(selection.codes))
    if selection.channels:
        conditions.append(deliveries.c.channel.in_(selection.channels))
    if selection.subscriber is not None:
        conditions.append(log.is_of(connection, send_id, selection.subscriber))
    return sa.and_(*conditions)


def _suppressed() -> sa.ColumnElement[bool]:
    return sa.exists().where(
        suppressions.c.channel == deliveries.c.channel,
        suppressions.c.address == deliveries.c.address,
    )
