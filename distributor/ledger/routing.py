"""Routing: which account serves a subscriber.

It is the account that was chosen for them, or else that of the first route whose prefix their
address has, or else that of the first route without one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.tables import memberships, subscribers


@dataclass(frozen=True, slots=True)
class Route:
    """Leads the addresses of a channel that begin with `prefix` to an account."""

    prefix: str
    account: str


def served_by(people: sa.FromClause, routes: Sequence[Route]) -> sa.ColumnElement[str]:
    """The name of the account that serves a row of subscribers; empty when no route leads on."""
    chosen = people.c.account
    otherwise = next((route.account for route in routes if not route.prefix), "")
    claimed: list[tuple[sa.ColumnElement[bool], Any]] = [
        (people.c.address.startswith(route.prefix, autoescape=True), route.account)
        for route in routes
        if route.prefix
    ]
    return sa.case((chosen != "", chosen), *claimed, else_=otherwise)


def accounts_of_lists(
    connection: Connection, list_ids: Collection[int], channel: str, routes: Sequence[Route]
) -> tuple[str, ...]:
    """Names of the accounts that serve those on the lists now; an empty one for those without."""
    query = (
        sa.select(served_by(subscribers, routes).label("account"))
        .distinct()
        .select_from(subscribers.join(memberships))
        .where(
            subscribers.c.channel == channel,
            memberships.c.list_id.in_(list_ids),
            memberships.c.unsubscribed_at.is_(None),
        )
        .order_by("account")
    )
    return tuple(connection.execute(query).scalars())
