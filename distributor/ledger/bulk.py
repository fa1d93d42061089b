"""Many rows in one statement.

SQLite runs a statement per row inside the process, which is fast. PostgreSQL is asked once with
all rows as one JSON value: a round trip and a plan for each row would cost it more than the work.
A statement is the same however many rows it is given, so that databases plan it once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from distributor.ledger.database import to_json

Rows = list[dict[str, Any]]


def among(
    connection: Connection, column: sa.ColumnElement[Any], values: Collection[int] | Collection[str]
) -> sa.ColumnElement[bool]:
    """Whether `column` is one of `values`: one parameter, where `in_` makes one of each."""
    if connection.dialect.name == "sqlite":
        each = sa.func.json_each(to_json(list(values))).table_valued("value")
        return column.in_(sa.select(each.c.value))
    return column == sa.any_(sa.literal(list(values), postgresql.ARRAY(column.type)))


def insert(connection: Connection, table: sa.Table, rows: Rows) -> None:
    """Insert `rows`, which all have the same keys: names of columns."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(sa.insert(table), rows)
        return
    given = _recordset(table, list(rows[0]))
    statement = sa.insert(table).from_select(list(rows[0]), sa.select(given))
    connection.execute(statement, {"rows": to_json(rows)})


def update(
    connection: Connection,
    table: sa.Table,
    rows: Rows,
    *,
    where: sa.ColumnElement[bool],
    unless_null: frozenset[str],
) -> None:
    """Set the columns that `rows` name, by `id`, of those rows for which `where` is true.

    A column of `unless_null` keeps its value where the new one is null.
    """
    if not rows:
        return
    names = [name for name in rows[0] if name != "id"]
    if connection.dialect.name == "sqlite":
        # A parameter may not be called like the column that it sets.
        new: Mapping[str, sa.ColumnElement[Any]] = {
            name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in ("id", *names)
        }
        statement = _update(table, names, new, where, unless_null)
        renamed = [{f"new_{name}": value for name, value in row.items()} for row in rows]
        connection.execute(statement, renamed)
        return
    given = _recordset(table, ["id", *names])
    statement = _update(table, names, given.c, where, unless_null)
    connection.execute(statement, {"rows": to_json(rows)})


def _update(
    table: sa.Table,
    names: Sequence[str],
    new: Mapping[str, sa.ColumnElement[Any]] | ReadOnlyColumnCollection[str, Any],
    where: sa.ColumnElement[bool],
    unless_null: frozenset[str],
) -> sa.Update:
    values = {
        name: sa.func.coalesce(new[name], table.c[name]) if name in unless_null else new[name]
        for name in names
    }
    return sa.update(table).where(table.c.id == new["id"], where).values(values)


def _recordset(table: sa.Table, names: Sequence[str]) -> sa.TableValuedAlias:
    columns = [sa.column(name, table.c[name].type) for name in names]
    rows = sa.cast(sa.bindparam("rows", type_=sa.Text), sa.Text).op("::")(sa.text("json"))
    return (
        sa.func.json_to_recordset(rows)
        .table_valued(*columns)
        .render_derived("given", with_types=True)
    )
