"""Keeps every message that a platform accepted, in one SQLite file and a folder of attachments.

A message is committed before its sender gets an answer. The write-ahead log with
`synchronous=NORMAL` keeps committed rows through `kill -9` of the process; only a power cut could
lose the last of them.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

#: Rows on the largest page that SQLite is asked for; it takes -1 as "no limit".
NO_LIMIT = -1
#: Attachments in one folder, so that no folder grows beyond what a file manager can show.
_FILES_PER_FOLDER = 1000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    platform TEXT NOT NULL,
    address TEXT NOT NULL,
    at REAL NOT NULL,
    message_id TEXT,
    summary TEXT NOT NULL,
    content TEXT NOT NULL,
    warnings TEXT NOT NULL,
    file TEXT
);
CREATE INDEX IF NOT EXISTS messages_by_address ON messages (platform, address, id);
CREATE TABLE IF NOT EXISTS refusals (
    platform TEXT NOT NULL,
    code TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (platform, code)
);
CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    settings TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS fault_hits (
    fault_id INTEGER NOT NULL REFERENCES faults (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    message TEXT NOT NULL,
    hits INTEGER NOT NULL,
    PRIMARY KEY (fault_id, address, message)
);
"""


class Platform(StrEnum):
    """Whom the sandbox stands in for."""

    SMTP = "smtp"
    TELEGRAM = "telegram"
    #: Group robots and apps.
    WECOM = "wecom"
    #: Official Accounts.
    OFFICIAL = "official"
    FEISHU = "feishu"
    DINGTALK = "dingtalk"


#: What an attachment's file is called by.
_SUFFIXES = {Platform.SMTP: "eml"}
_PICTURE = "img"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that a platform is about to accept for one address."""

    platform: Platform
    address: str
    #: One line that tells it apart in a list: a subject or the first words.
    summary: str
    #: The platform's own form of it, as JSON.
    content: Mapping[str, Any]
    #: The Message-ID header of a mail.
    message_id: str | None = None
    #: What the platform changed or a reader would stumble over.
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Received(Incoming):
    """An accepted message. `id` grows with every message and is never used again."""

    id: int = 0
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    #: The attachment's path: the mail itself, or a photo.
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """All messages of one address, for a list of chats."""

    address: str
    count: int
    latest: Received


def open_database(folder: Path) -> sqlite3.Connection:
    """The database in `folder`, both made when missing. Raises `sqlite3.Error` or `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(folder / "sandbox.sqlite3", isolation_level=None, timeout=10)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.executescript(_SCHEMA)
    return connection


class Store:
    """The accepted messages, and how many were refused."""

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self._connection = connection
        self._folder = folder

    def add(self, messages: Sequence[Incoming], attachment: bytes = b"") -> tuple[int, ...]:
        """Keep `messages`, which share `attachment`, all or none; returns their ids."""
        at = time.time()
        with self._transaction():
            ids = tuple(self._insert(message, at) for message in messages)
            if attachment:
                name = self._write(
                    ids[0], attachment, _SUFFIXES.get(messages[0].platform, _PICTURE)
                )
                self._connection.executemany(
                    "UPDATE messages SET file = ? WHERE id = ?", [(name, id_) for id_ in ids]
                )
        return ids

    def edit(self, id_: int, summary: str, content: Mapping[str, Any]) -> None:
        """Replace what message `id_` says."""
        self._connection.execute(
            "UPDATE messages SET summary = ?, content = ? WHERE id = ?",
            (summary, json.dumps(content, ensure_ascii=False), id_),
        )

    def remove(self, id_: int) -> None:
        """Forget message `id_`."""
        self._connection.execute("DELETE FROM messages WHERE id = ?", (id_,))

    def clear(self) -> int:
        """Forget every message and every count of refusals; returns how many messages went."""
        files = [row["file"] for row in self._rows("SELECT DISTINCT file FROM messages")]
        with self._transaction():
            count = self._connection.execute("DELETE FROM messages").rowcount
            self._connection.execute("DELETE FROM refusals")
        for name in filter(None, files):
            (self._folder / name).unlink(missing_ok=True)
        return count

    def get(self, platform: Platform, id_: int) -> Received | None:
        """The message with this id, or None."""
        rows = self._rows(
            "SELECT * FROM messages WHERE platform = :platform AND id = :id",
            platform=platform,
            id=id_,
        )
        return self._received(rows[0]) if rows else None

    def messages(
        self,
        platform: Platform | None = None,
        address: str | None = None,
        after: int = 0,
        limit: int = NO_LIMIT,
    ) -> list[Received]:
        """Messages with an id above `after`, oldest first; `address` is matched whole."""
        rows = self._rows(
            "SELECT * FROM messages WHERE id > :after"
            " AND (:platform IS NULL OR platform = :platform)"
            " AND (:address IS NULL OR address = :address) ORDER BY id LIMIT :limit",
            after=after,
            platform=platform,
            address=address,
            limit=limit,
        )
        return [self._received(row) for row in rows]

    def newest(
        self, platform: Platform, containing: str = "", limit: int = 1, offset: int = 0
    ) -> list[Received]:
        """Newest first: messages whose address or summary contains `containing`."""
        rows = self._rows(
            "SELECT * FROM messages WHERE platform = :platform"
            " AND (:containing = '' OR instr(address, :containing) OR instr(summary, :containing))"
            " ORDER BY id DESC LIMIT :limit OFFSET :offset",
            platform=platform,
            containing=containing,
            limit=limit,
            offset=offset,
        )
        return [self._received(row) for row in rows]

    def of_address(self, platform: Platform, address: str, limit: int) -> list[Received]:
        """The last `limit` messages of one address, oldest first as in a chat."""
        rows = self._rows(
            "SELECT * FROM messages WHERE platform = :platform AND address = :address"
            " ORDER BY id DESC LIMIT :limit",
            platform=platform,
            address=address,
            limit=limit,
        )
        return [self._received(row) for row in reversed(rows)]

    def conversations(self, platform: Platform, limit: int) -> list[Conversation]:
        """The `limit` addresses that got a message last, the most recent first."""
        rows = self._rows(
            "SELECT m.*, latest.count AS count FROM messages m JOIN"
            " (SELECT max(id) AS id, count(*) AS count FROM messages WHERE platform = :platform"
            "  GROUP BY address) latest ON latest.id = m.id ORDER BY m.id DESC LIMIT :limit",
            platform=platform,
            limit=limit,
        )
        return [Conversation(r["address"], r["count"], self._received(r)) for r in rows]

    def count(self, platform: Platform, containing: str = "") -> int:
        """How many messages `newest` would go through."""
        rows = self._rows(
            "SELECT count(*) AS count FROM messages WHERE platform = :platform AND"
            " (:containing = '' OR instr(address, :containing) OR instr(summary, :containing))",
            platform=platform,
            containing=containing,
        )
        return int(rows[0]["count"])

    def refused(self, platform: Platform, code: str) -> None:
        """Count one refusal by the platform's code."""
        self._connection.execute(
            "INSERT INTO refusals VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
            (platform, code),
        )

    def refusals(self) -> dict[Platform, dict[str, int]]:
        """How often each platform refused, by code."""
        counts: dict[Platform, dict[str, int]] = {platform: {} for platform in Platform}
        for row in self._rows("SELECT * FROM refusals ORDER BY platform, code"):
            counts[Platform(row["platform"])][row["code"]] = row["count"]
        return counts

    def _insert(self, message: Incoming, at: float) -> int:
        cursor = self._connection.execute(
            "INSERT INTO messages (platform, address, at, message_id, summary, content, warnings)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                message.platform,
                message.address,
                at,
                message.message_id,
                message.summary,
                json.dumps(message.content, ensure_ascii=False),
                json.dumps(message.warnings, ensure_ascii=False),
            ),
        )
        assert cursor.lastrowid is not None  # noqa: S101 - an INSERT always has one
        return cursor.lastrowid

    def _write(self, id_: int, attachment: bytes, suffix: str) -> str:
        name = f"files/{id_ // _FILES_PER_FOLDER:04d}/{id_:07d}.{suffix}"
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(attachment)
        return name

    def _rows(self, statement: str, **values: str | int | None) -> Sequence[sqlite3.Row]:
        return self._connection.execute(statement, values).fetchall()

    def _received(self, row: sqlite3.Row) -> Received:
        return Received(
            platform=Platform(row["platform"]),
            address=row["address"],
            summary=row["summary"],
            content=json.loads(row["content"]),
            message_id=row["message_id"],
            warnings=tuple(json.loads(row["warnings"])),
            id=row["id"],
            at=datetime.fromtimestamp(row["at"], UTC),
            file=self._folder / row["file"] if row["file"] else None,
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
