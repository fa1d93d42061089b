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
    _lower_deliveries(connection)


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
        for statement in (_JOIN, _LEAVE_TOO, _LEAVE):
            connection.execute(sa.text(statement), {"it": found["id"], "twin": twin})


def _lower_deliveries(connection: sa.Connection) -> None:
    """Most in one statement, because there may be millions."""
    rows = sa.table("deliveries", *(sa.column(name) for name in ("id", "channel", "address")))
    lower = _ascii_lower(connection, rows.c.address)
    of_email = rows.c.channel == "email"
    connection.execute(
        sa.update(rows).where(of_email, rows.c.address != lower).values(address=lower)
    )
    for found in _mixed(connection, rows, ["id", "address"]):
        this = rows.c.id == found["id"]
        connection.execute(sa.update(rows).where(this).values(address=found["address"].lower()))


_JOIN = """
INSERT INTO memberships (list_id, subscriber_id, subscribed_at, unsubscribed_at, unsubscribed_by)
SELECT list_id, :twin, subscribed_at, unsubscribed_at, unsubscribed_by FROM memberships AS mine
WHERE subscriber_id = :it AND NOT EXISTS (
  SELECT 1 FROM memberships WHERE list_id = mine.list_id AND subscriber_id = :twin
)
"""
#: An operator may have taken one of the two off as a duplicate; nobody else did it for that reason.
_LEAVE_TOO = """
UPDATE memberships AS theirs
SET unsubscribed_at = mine.unsubscribed_at, unsubscribed_by = mine.unsubscribed_by
FROM memberships AS mine
WHERE mine.subscriber_id = :it AND theirs.subscriber_id = :twin AND mine.list_id = theirs.list_id
  AND mine.unsubscribed_at >= theirs.subscribed_at AND mine.unsubscribed_by <> 'operator'
  AND theirs.unsubscribed_at IS NULL
"""
_LEAVE = """
UPDATE memberships SET unsubscribed_at = CURRENT_TIMESTAMP, unsubscribed_by = 'operator'
WHERE subscriber_id = :it AND unsubscribed_at IS NULL
"""


def _mixed(
    connection: sa.Connection, rows: sa.TableClause, names: list[str]
) -> list[sa.RowMapping]:
    """The rows of the email channel whose address is not all in lower case."""
    address = rows.c.address
    may_be = sa.or_(
        address != _ascii_lower(connection, address), _has_non_ascii(connection, address)
    )
    query = sa.select(*(rows.c[name] for name in names)).where(rows.c.channel == "email", may_be)
    found = connection.execute(query.order_by(*names)).mappings()
    return [one for one in found if one["address"] != one["address"].lower()]


def _ascii_lower(connection: sa.Connection, column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The text with A to Z in lower case.

    What becomes of other letters depends on the database and its locale; the program does to them
    what Python does.
    """
    if connection.dialect.name == "postgresql":
        return sa.func.lower(sa.collate(column, "C"))
    return sa.func.lower(column)


def _has_non_ascii(
    connection: sa.Connection, column: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    if connection.dialect.name == "postgresql":
        return sa.func.octet_length(column) != sa.func.char_length(column)
    return sa.func.length(sa.cast(column, sa.LargeBinary)) != sa.func.length(column)
