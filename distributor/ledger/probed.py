"""Rests that end by a probe: an account's circuit breaker, and a stop of some of its addresses.

While it is open nothing is tried. When its time is up, one worker of all claims the probe by moving
`open_until` on. The time that it got is also what it shows to be the prober with: nobody else can
have the same one. A probe that fails opens the rest again, for twice as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.database import insert_or_ignore

#: How long a prober has to itself. When it has not told what came of it by then, because it was
#: lost or its platform hangs, another one may probe.
PROBE_TIME = timedelta(minutes=1)
_MOST_DOUBLINGS = 16


@dataclass(frozen=True, slots=True)
class Rests:
    """A table of rests, of which `key` names the columns that tell them apart."""

    table: sa.Table
    key: tuple[str, ...]
    #: How long one lasts the first time; each time after that twice as long.
    first: timedelta
    longest: timedelta

    def is_this(self, *key: str) -> sa.ColumnElement[bool]:
        """True of the row with this key."""
        pairs = zip(self.key, key, strict=True)
        return sa.and_(*(self.table.c[name] == value for name, value in pairs))

    def open(
        self,
        connection: Connection,
        *key: str,
        code: str,
        reply: str,
        at: datetime,
        probe: datetime | None = None,
    ) -> tuple[Mapping[str, Any], datetime]:
        """Begin a rest, or a longer one when its probe failed; nothing is tried while it lasts.

        Workers that fail together while it lasts do not make it longer: only the failure of the
        probe does, for which `probe` is what `claim_probe` gave. Returns the row, and until when
        the rest before it was to last.
        """
        why = {"code": code, "reply": reply}
        begun = {**why, "opened_at": at, "open_until": at, "times": 0}
        row = {**dict(zip(self.key, key, strict=True)), **begun}
        insert_or_ignore(connection, self.table, [row], *self.key)
        this = sa.select(self.table).where(self.is_this(*key)).with_for_update()
        found = connection.execute(this).mappings().one()
        before: datetime = found["open_until"]
        if found["times"] and before > at and before != probe:
            return dict(found), before
        lasts = min(self.first * 2 ** min(found["times"], _MOST_DOUBLINGS), self.longest)
        changed = {**why, "open_until": at + lasts, "times": found["times"] + 1}
        connection.execute(sa.update(self.table).where(self.is_this(*key)).values(changed))
        return {**found, **changed}, before

    def claim_probe(self, connection: Connection, *key: str, at: datetime) -> datetime | None:
        """Claim the right to send the one message that probes; returns until when it lasts.

        None when it is not time yet, somebody else has it, or nothing rests.
        """
        until = at + PROBE_TIME
        claimed = connection.execute(
            sa.update(self.table)
            .where(self.is_this(*key), self.table.c.open_until <= at)
            .values(open_until=until)
        )
        return until if claimed.rowcount == 1 else None

    def give_back_probe(
        self, connection: Connection, *key: str, probe: datetime, at: datetime
    ) -> bool:
        """Let another one probe at once: the message that was to do it did not leave.

        False when `probe` is not the current one.
        """
        given_back = connection.execute(
            sa.update(self.table)
            .where(self.is_this(*key), self.table.c.open_until == probe)
            .values(open_until=at)
        )
        return given_back.rowcount == 1

    def end(self, connection: Connection, *key: str) -> datetime | None:
        """End the rest; returns until when it was to last, or None when there was none."""
        ended: datetime | None = connection.execute(
            sa.delete(self.table).where(self.is_this(*key)).returning(self.table.c.open_until)
        ).scalar_one_or_none()
        return ended
