"""Strikes: what counts against an address only when it comes again.

A full mailbox may be emptied tomorrow; one that was full for several editions has been left. A
refusal that does not say why may be about anything; the third one is about the address.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger import bulk
from distributor.ledger.database import insert_or_ignore
from distributor.ledger.tables import strikes
from distributor.suppression import SuppressionReason


@dataclass(frozen=True, slots=True)
class Limit:
    """So many different sends, within so long, suppress the address."""

    sends: int
    within: timedelta


#: Reasons that need more than one strike. Every other reason suppresses at once.
LIMITS = {
    SuppressionReason.MAILBOX_FULL: Limit(5, timedelta(days=30)),
    SuppressionReason.REFUSED_REPEATEDLY: Limit(3, timedelta(days=30)),
}


def add(
    connection: Connection,
    channel: str,
    address: str,
    reason: SuppressionReason,
    *,
    send_id: int,
    at: datetime,
) -> bool:
    """Note a strike, once a send; returns whether the address is now to be suppressed.

    `reason` may be any that suppresses; one without a limit always does, and leaves no strike.
    """
    limit = LIMITS.get(reason)
    if limit is None:
        return True
    row = {"channel": channel, "address": address, "reason": reason, "send_id": send_id, "at": at}
    conflict = ("channel", "address", "reason", "send_id")
    insert_or_ignore(connection, strikes, [row], *conflict)
    count = sa.select(sa.func.count()).where(
        strikes.c.channel == channel,
        strikes.c.address == address,
        strikes.c.reason == reason,
        strikes.c.at > at - limit.within,
    )
    return connection.execute(count).scalar_one() >= limit.sends


def take_back(
    connection: Connection, channel: str, addresses: Collection[str], *, send_id: int
) -> None:
    """Forget the strikes that a send noted against `addresses`: they got it after all, or may."""
    connection.execute(
        sa.delete(strikes).where(
            strikes.c.channel == channel,
            strikes.c.send_id == send_id,
            bulk.among(connection, strikes.c.address, addresses),
        )
    )
