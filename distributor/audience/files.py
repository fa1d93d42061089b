"""Subscribers as lines of a file: what is on each line, before anybody judges it.

CSV is guarded against formula injection (OWASP, "CSV Injection"): a spreadsheet runs a cell that
begins with `=`, `+`, `-` or `@`, and names and addresses come from strangers. Such a cell is
written with an apostrophe before it, and reading takes that apostrophe off again, so that what
was exported comes back unchanged. JSON Lines carries every value as it is.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, TypeAlias

from distributor.audience.errors import UnreadableFile
from distributor.audience.validation import FIELDS

_GUARDED = re.compile(r"'*[=+\-@＝＋－＠\t\r\n]")
_UNGUARDED = re.compile(r"'+[=+\-@＝＋－＠\t\r\n]")
_ATTRIBUTES = "attributes"


class Format(StrEnum):
    """How a file of subscribers is written."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Row:
    """One subscriber as written; fields that are not there are empty."""

    #: Of its first line in the file, from 1.
    line: int
    channel: str
    address: str
    name: str
    language: str
    attributes: Mapping[str, str]
    account: str = ""
    variant: str = ""

    @property
    def fields(self) -> dict[str, str]:
        """The columns that every file has, by name."""
        return {name: getattr(self, name) for name in FIELDS}


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken, and why."""

    line: int
    reason: str


Read: TypeAlias = Row | Rejected


def read(stream: BinaryIO, format_: Format) -> Iterator[Read]:
    """Every row of `stream` in order, read as it is asked for; empty lines are passed over.

    UTF-8, with or without a byte order mark. Raises `UnreadableFile` when a CSV's first line does
    not name the columns.
    """
    # Bytes that are not UTF-8 become surrogates, which the rules for values refuse row by row.
    text = io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield from _read_csv(text) if format_ is Format.CSV else _read_jsonl(text)
    finally:
        text.detach()


def write_csv(rows: Iterator[Row], attribute_names: Sequence[str]) -> Iterator[str]:
    """`rows` as lines of CSV with a header, ended by CR LF as RFC 4180 says."""
    yield _csv_line((*FIELDS, *attribute_names))
    for row in rows:
        attributes = (row.attributes.get(name, "") for name in attribute_names)
        yield _csv_line((*row.fields.values(), *attributes))


def write_jsonl(rows: Iterator[Row]) -> Iterator[str]:
    """`rows` as lines of JSON, the attributes in an object of their own."""
    for row in rows:
        values = {**row.fields, _ATTRIBUTES: dict(row.attributes)}
        yield json.dumps(values, ensure_ascii=False) + "\n"


def _read_csv(text: io.TextIOWrapper) -> Iterator[Read]:
    reader = csv.reader(text, strict=True)
    columns = _columns(reader)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Rejected(line, f"not a row of CSV ({error}); check its quotes")
            continue
        if any(cells):
            yield _csv_row(line, columns, cells)


def _columns(reader: Iterator[list[str]]) -> tuple[str, ...]:
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise UnreadableFile(f"the first line is not CSV ({error})") from error
    names = [cell.strip() for cell in header]
    columns = tuple(name.lower() if name.lower() in FIELDS else name for name in names)
    if "address" not in columns:
        raise UnreadableFile(
            "the first line must name the columns, with at least: address "
            "(and channel, name, language, account, variant or any attribute)"
        )
    if len(set(columns)) != len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        raise UnreadableFile(f"the first line names the column {twice!r} twice; rename one")
    return columns


def _csv_row(line: int, columns: tuple[str, ...], cells: list[str]) -> Read:
    if len(cells) != len(columns):
        return Rejected(
            line, f"has {len(cells)} cells where the first line names {len(columns)} columns"
        )
    values = {name: _unguarded(cell) for name, cell in zip(columns, cells, strict=True)}
    fields = {name: values.pop(name, "") for name in FIELDS}
    return Row(line=line, **fields, attributes={k: v for k, v in values.items() if v})


def _read_jsonl(text: io.TextIOWrapper) -> Iterator[Read]:
    for line, content in enumerate(text, start=1):
        if content.strip():
            yield _json_row(line, content)


def _json_row(line: int, content: str) -> Read:
    try:
        values = json.loads(content)
    except (ValueError, RecursionError):
        return Rejected(line, "not a line of JSON")
    if not isinstance(values, dict):
        return Rejected(line, 'not a JSON object; write {"channel": …, "address": …}')
    nested = values.pop(_ATTRIBUTES, {})
    if not isinstance(nested, dict):
        return Rejected(line, "attributes is not a JSON object")
    scalars = {name: _scalar(value) for name, value in (values | nested).items()}
    for name, scalar in scalars.items():
        if scalar is None:
            return Rejected(line, f"{name!r} holds a list or an object; use text or a number")
    texts = {name: scalar for name, scalar in scalars.items() if scalar}
    fields = {name: texts.pop(name, "") for name in FIELDS}
    return Row(line=line, **fields, attributes=texts)


def _scalar(value: object) -> str | None:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            return None


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([f"'{cell}" if _GUARDED.match(cell) else cell for cell in cells])
    return line.getvalue()


def _unguarded(cell: str) -> str:
    return cell[1:] if _UNGUARDED.match(cell) else cell
