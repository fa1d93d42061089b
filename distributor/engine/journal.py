"""The journal of a claim: what left this worker and what came of it, on this machine's disk.

The ledger is written a few times a second; between two writes a worker may send hundreds of
messages. Its journal has one line before each message and one after it. A line is one `write` to
the kernel, which keeps it when the process is killed, and costs microseconds. So a worker that
dies leaves exactly the messages in doubt that have a first line and no second one. Deliveries that
leave in one call share the first line.

Whoever writes a journal holds a lock on it, which the kernel takes back when the process ends. So
every process that shares the folder can tell whether it is still written, also from another
container.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from distributor.engine import identity
from distributor.ledger.answers import Answer
from distributor.ledger.attempts import Attempt
from distributor.ledger.deliveries import Change
from distributor.ledger.orphans import Evidence
from distributor.ledger.states import DeliveryState
from distributor.suppression import SuppressionReason

_SUFFIX = ".journal"


class Journal:
    """The journal that one claim writes. Used by one thread."""

    def __init__(self, folder: Path, token: str, *, worker: str, batch_id: int) -> None:
        """`token` is the lease's and names the file; `worker` is the identity of this process."""
        folder.mkdir(parents=True, exist_ok=True)
        self._path = _path(folder, token)
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # Before the first line: what has a line and no lock is left behind.
            fcntl.flock(self._file, fcntl.LOCK_EX)
            self._write_json({"worker": worker, "batch": batch_id, "boot": identity.boot()})
        except BaseException:
            self.abandon()
            raise

    def begin(self, *delivery_ids: int) -> None:
        """Say that a message of these deliveries is about to leave, in one call."""
        self._write(b'{"begin": [%s]}\n' % ",".join(map(str, delivery_ids)).encode())

    def end(self, answer: Answer) -> None:
        """Say what came of a message that was begun."""
        self._write_json({"end": _to_json(answer)})

    def remove(self) -> None:
        """Everything in it is in the ledger. Safe to call twice."""
        if self._file >= 0:
            try:
                # While it is still locked: it must not look as if it were left behind.
                self._path.unlink(missing_ok=True)
            finally:
                self.abandon()

    def abandon(self) -> None:
        """Leave it on the disk for whoever settles the claim."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write_json(self, line: dict[str, Any]) -> None:
        self._write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def _write(self, line: bytes) -> None:
        if os.write(self._file, line) < len(line):
            # Nothing may follow a torn line: it would be read as one with it.
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))


@dataclass(frozen=True, slots=True)
class Record:
    """What a journal on the disk says."""

    token: str
    #: The identity of the process that wrote it.
    worker: str
    batch_id: int
    evidence: Evidence


def read(folder: Path, token: str) -> Record | None:
    """The journal of a claim, if it is on this machine. A torn last line counts as not written.

    One that the machine did not outlive, or that is damaged, tells what happened, but not what did
    not: the kernel may not have brought its last lines to the disk.
    """
    try:
        lines = _path(folder, token).read_bytes().split(b"\n")
    except FileNotFoundError:
        return None
    worker, batch_id, boot = "", 0, ""
    is_complete = True
    in_doubt: set[int] = set()
    answers = []
    # What follows the last newline is torn, or nothing.
    for line in lines[:-1]:
        try:
            match orjson.loads(line):
                case {"worker": str(worker), "batch": int(batch_id), **more}:
                    boot = str(more.get("boot", ""))
                case {"begin": [*delivery_ids]}:
                    in_doubt.update(delivery_ids)
                case {"end": dict(fields)}:
                    answers.append(_from_json(fields))
                    in_doubt.discard(fields["delivery"])
        except (ValueError, TypeError, KeyError):
            is_complete = False
            break
    is_complete = is_complete and boot == identity.boot()
    evidence = Evidence(tuple(answers), frozenset(in_doubt), is_complete=is_complete)
    return Record(token, worker, batch_id, evidence)


@contextmanager
def left_behind(folder: Path, token: str) -> Iterator[Record | None]:
    """The content of an abandoned journal, locked against other readers until the block ends.

    None while its writer lives or another process has it, and when there is none.
    """
    try:
        file = os.open(_path(folder, token), os.O_RDWR)
    except FileNotFoundError:
        yield None
        return
    try:
        yield read(folder, token) if _is_left(file) else None
    finally:
        os.close(file)


def tokens(folder: Path) -> Iterator[str]:
    """Tokens of all journals on this machine."""
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        yield path.stem


def discard(folder: Path, token: str) -> None:
    """Remove a journal whose content is in the ledger."""
    _path(folder, token).unlink(missing_ok=True)


def _is_left(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    # Empty, it was created just now and is about to be locked; without a name, it was removed.
    stat = os.fstat(file)
    return stat.st_size > 0 and stat.st_nlink > 0


def _path(folder: Path, token: str) -> Path:
    return folder / f"{token}{_SUFFIX}"


def _to_json(answer: Answer) -> dict[str, Any]:
    attempt, change = answer.attempt, answer.change
    return {
        "delivery": attempt.delivery_id,
        "subscriber": answer.subscriber_id,
        "address": answer.address,
        "part": attempt.part,
        "number": attempt.number,
        "at": attempt.at,
        "outcome": attempt.outcome,
        "code": attempt.code,
        "reply": attempt.reply,
        "message_id": attempt.message_id,
        "worker": attempt.worker,
        "duration_ms": attempt.duration_ms,
        "state": change.state,
        "attempts": change.attempts,
        "next_attempt_at": change.next_attempt_at,
        "moved_to": change.address,
        "suppress": answer.suppress,
    }


def _from_json(fields: dict[str, Any]) -> Answer:
    next_attempt_at, reason = fields["next_attempt_at"], fields["suppress"]
    return Answer(
        subscriber_id=fields["subscriber"],
        address=fields["address"],
        suppress=SuppressionReason(reason) if reason else None,
        attempt=Attempt(
            delivery_id=fields["delivery"],
            part=fields["part"],
            number=fields["number"],
            at=datetime.fromisoformat(fields["at"]),
            outcome=DeliveryState(fields["outcome"]),
            code=fields["code"],
            reply=fields["reply"],
            message_id=fields["message_id"],
            worker=fields["worker"],
            duration_ms=fields["duration_ms"],
        ),
        change=Change(
            state=DeliveryState(fields["state"]),
            attempts=fields["attempts"],
            next_attempt_at=datetime.fromisoformat(next_attempt_at) if next_attempt_at else None,
            address=fields["moved_to"],
        ),
    )
