"""Bringing subscribers in from a file, and out to one, whatever its length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import BinaryIO

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.audience import bulk, files, lists, memberships, validation
from distributor.audience.errors import InvalidSubscriber
from distributor.audience.files import Format, Read, Rejected, Row
from distributor.audience.lists import MailingList
from distributor.audience.validation import NewSubscriber
from distributor.ledger import tables
from distributor.ledger.database import Ledger

#: Rows written in one transaction. Other writers of the ledger get their turn after each.
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the rows; added + existing + repeated + rejected are all of them."""

    #: Subscribers that were not known before.
    added: int
    #: Known before; what the row says was added to them.
    existing: int
    #: The same channel and address as an earlier row of the file, which is the one that counts.
    repeated: int
    #: How many came onto a list: one for each subscriber and list.
    joined: int
    #: Had left a list before and were not brought back: one for each subscriber and list.
    left_before: int
    #: Rows that were not taken, in the order of the file.
    rejected: tuple[Rejected, ...]


def import_file(
    ledger: Ledger,
    stream: BinaryIO,
    format_: Format,
    *,
    list_names: Iterable[str],
    default_channel: str = "",
    resubscribe: bool = False,
) -> Imported:
    """Add the subscribers in `stream` to lists. A row that is refused does not stop the others.

    Every thousand rows are a transaction of their own, so that workers are not kept waiting; an
    import that was cut off can simply be run again. `default_channel` is for rows that name none.
    Memory grows by about 150 bytes a row, to know the rows that repeat an earlier one.

    Raises `UnknownList`, `ListArchived`, `InvalidSubscriber` (for `default_channel`) before
    anything is written, and `UnreadableFile`.
    """
    if default_channel:
        validation.known_channel(default_channel)
    with ledger.read() as c:
        targets = lists.all_open(c, list_names)
    run = _Import(ledger, targets, default_channel, resubscribe)
    rows = files.read(stream, format_)
    while chunk := list(islice(rows, CHUNK)):
        run.take(chunk)
    ledger.refresh_statistics(tables.subscribers, tables.memberships)
    return run.result()


def export(c: Connection, format_: Format, list_name: str | None = None) -> Iterator[str]:
    """Those on a list now, or all subscribers, as lines of a file that `import_file` reads.

    Addresses are given in full. Raises `UnknownList`.
    """
    chosen = _chosen(None if list_name is None else lists.get(c, list_name).id)
    if format_ is Format.JSONL:
        return files.write_jsonl(_rows(c, chosen))
    return files.write_csv(_rows(c, chosen), _attribute_names(c, chosen))


class _Import:
    """One run: what has been seen and counted so far."""

    def __init__(
        self,
        ledger: Ledger,
        targets: tuple[MailingList, ...],
        default_channel: str,
        resubscribe: bool,
    ) -> None:
        self._ledger = ledger
        self._targets = targets
        self._default_channel = default_channel
        self._resubscribe = resubscribe
        self._seen: set[bulk.Key] = set()
        self._added = self._existing = self._repeated = self._joined = self._left_before = 0
        self._rejected: list[Rejected] = []

    def take(self, chunk: list[Read]) -> None:
        fresh = [row for read in chunk if (row := self._accepted(read)) is not None]
        if fresh:
            with self._ledger.write() as c:
                self._write(c, fresh)

    def result(self) -> Imported:
        return Imported(
            added=self._added,
            existing=self._existing,
            repeated=self._repeated,
            joined=self._joined,
            left_before=self._left_before,
            rejected=tuple(self._rejected),
        )

    def _accepted(self, read: Read) -> NewSubscriber | None:
        if isinstance(read, Rejected):
            self._rejected.append(read)
            return None
        try:
            row = self._checked(read)
        except InvalidSubscriber as error:
            self._rejected.append(Rejected(read.line, str(error)))
            return None
        if row.key in self._seen:
            self._repeated += 1
            return None
        self._seen.add(row.key)
        return row

    def _checked(self, row: Row) -> NewSubscriber:
        channel = row.channel.strip() or self._default_channel
        if not channel:
            raise InvalidSubscriber("names no channel; fill the column, or name one with --channel")
        return validation.new_subscriber(
            channel,
            row.address,
            row.name,
            row.language,
            row.attributes,
            account=row.account,
            variant=row.variant,
        )

    def _write(self, c: Connection, rows: list[NewSubscriber]) -> None:
        now = datetime.now(UTC)
        stored = bulk.store(c, rows, now)
        self._added += len(stored.created)
        self._existing += len(rows) - len(stored.created)
        ids = list(stored.ids.values())
        for target in self._targets:
            result = memberships.join(c, target.id, ids, now, resubscribe=self._resubscribe)
            self._joined += len(result.joined)
            self._left_before += len(result.left_before)


def _chosen(list_id: int | None) -> sa.ColumnElement[bool]:
    if list_id is None:
        return sa.true()
    table = tables.memberships
    return tables.subscribers.c.id.in_(
        sa.select(table.c.subscriber_id).where(
            table.c.list_id == list_id, table.c.unsubscribed_at.is_(None)
        )
    )


def _rows(c: Connection, chosen: sa.ColumnElement[bool]) -> Iterator[Row]:
    table = tables.subscribers
    statement = sa.select(table).where(chosen).order_by(table.c.id)
    result = c.execute(statement.execution_options(yield_per=CHUNK))
    for number, row in enumerate(result, start=1):
        fields = {name: getattr(row, name) for name in validation.FIELDS}
        yield Row(number, **fields, attributes=row.attributes)


def _attribute_names(c: Connection, chosen: sa.ColumnElement[bool]) -> list[str]:
    statement = sa.select(tables.subscribers.c.attributes).where(chosen)
    names: set[str] = set()
    for attributes in c.scalars(statement.execution_options(yield_per=CHUNK)):
        names.update(attributes)
    return sorted(names)
