"""Email addresses are in lower case."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    connection = op.get_bind()
    _lower(connection, "suppressions")
    _lower(connection, "strikes", "reason", "send_id")
    _lower_subscribers(connection)
    connection.execute(
        sa.text(
            "UPDATE deliveries SET address = lower(address)"
            " WHERE channel = 'email' AND address <> lower(address)"
        )
    )


def _lower(connection: sa.Connection, table: str, *others: str) -> None:
    """Lower-case the addresses of a table, where one and `others` are unique."""
    names = ["address", *others]
    rows = sa.table(table, sa.column("channel"), *(sa.column(name) for name in names))
    for found in _mixed(connection, rows, names):
        this = [rows.c.channel == "email", *(rows.c[name] == found[name] for name in names)]
        twin = [*this[2:], rows.c.channel == "email", rows.c.address == found["address"].lower()]
        if connection.execute(sa.select(sa.literal(1)).select_from(rows).where(*twin)).first():
            connection.execute(sa.delete(rows).where(*this))
        else:
            connection.execute(
                sa.update(rows).where(*this).values(address=found["address"].lower())
            )


def _lower_subscribers(connection: sa.Connection) -> None:
    """One who has a twin in lower case leaves the lists, and the twin is on them instead.

    The row stays as it is, because deliveries name it.
    """
    rows = sa.table("subscribers", *(sa.column(name) for name in ("id", "channel", "address")))
    for found in _mixed(connection, rows, ["id", "address"]):
        lower = found["address"].lower()
        twin = connection.execute(
            sa.select(rows.c.id).where(rows.c.channel == "email", rows.c.address == lower)
        ).scalar()
        if twin is None:
            connection.execute(
                sa.update(rows).where(rows.c.id == found["id"]).values(address=lower)
            )
            continue
        for statement in (_JOIN, _LEAVE):
            connection.execute(sa.text(statement), {"it": found["id"], "twin": twin})


_JOIN = """
INSERT INTO memberships (list_id, subscriber_id, subscribed_at, unsubscribed_at, unsubscribed_by)
SELECT list_id, :twin, subscribed_at, unsubscribed_at, unsubscribed_by FROM memberships AS mine
WHERE subscriber_id = :it AND NOT EXISTS (
  SELECT 1 FROM memberships WHERE list_id = mine.list_id AND subscriber_id = :twin
)
"""
_LEAVE = """
UPDATE memberships SET unsubscribed_at = CURRENT_TIMESTAMP, unsubscribed_by = 'operator'
WHERE subscriber_id = :it AND unsubscribed_at IS NULL
"""


def _mixed(
    connection: sa.Connection, rows: sa.TableClause, names: list[str]
) -> list[sa.RowMapping]:
    """The rows of the email channel whose address is not all in lower case."""
    query = sa.select(*(rows.c[name] for name in names)).where(
        rows.c.channel == "email", rows.c.address != sa.func.lower(rows.c.address)
    )
    return list(connection.execute(query.order_by(*names)).mappings())
