"""The journal tells what a killed worker had done."""

from __future__ import annotations

import fcntl
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distributor.engine import journal
from distributor.engine.journal import Journal
from distributor.ledger.answers import Answer
from distributor.ledger.attempts import Attempt
from distributor.ledger.deliveries import Change
from distributor.ledger.states import DeliveryState

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


def answer(delivery_id: int, reply: str = "accepted") -> Answer:
    return Answer(
        subscriber_id=7,
        address="reader@readers.example",
        suppress=None,
        change=Change(DeliveryState.RETRYING, 2, next_attempt_at=AT),
        attempt=Attempt(
            delivery_id, 1, 2, AT, DeliveryState.RETRYING, "smtp-450", reply, None, "host:1", 12
        ),
    )


@pytest.fixture
def open_journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path, "token", worker="host/1/2/3", batch_id=5)


def test_an_answer_comes_back_as_it_was(tmp_path: Path, open_journal: Journal) -> None:
    open_journal.begin(1)
    open_journal.end(answer(1))

    record = journal.read(tmp_path, "token")

    assert record is not None
    assert record.evidence.answers == (answer(1),)
    assert (record.worker, record.batch_id) == ("host/1/2/3", 5)


def test_a_message_without_an_answer_is_in_doubt(tmp_path: Path, open_journal: Journal) -> None:
    open_journal.begin(1)
    open_journal.end(answer(1))
    open_journal.begin(2)

    record = journal.read(tmp_path, "token")

    assert record is not None
    assert record.evidence.in_doubt == {2}


def test_a_torn_answer_leaves_its_message_in_doubt(tmp_path: Path, open_journal: Journal) -> None:
    open_journal.begin(1)
    open_journal.end(answer(1))
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-10])

    record = journal.read(tmp_path, "token")

    assert record is not None
    assert (record.evidence.answers, record.evidence.in_doubt) == ((), {1})


@pytest.mark.parametrize("damaged", [bytes(20), b'{"end": {"delivery": 2}}', b'{"begin": '])
def test_a_damaged_line_ends_what_can_be_believed(
    tmp_path: Path, open_journal: Journal, damaged: bytes
) -> None:
    """After a power cut, zeros may stand where lines were written."""
    open_journal.begin(1)
    open_journal.end(answer(1))
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes() + damaged + b'\n{"begin": [2]}\n')

    record = journal.read(tmp_path, "token")

    assert record is not None
    assert record.evidence.answers == (answer(1),)
    assert not record.evidence.is_complete


def test_one_that_does_not_say_since_when_its_machine_runs_is_not_complete(tmp_path: Path) -> None:
    lines = b'{"worker": "host/1/2/3", "batch": 7}\n{"begin": [1]}\n'
    (tmp_path / "token.journal").write_bytes(lines)

    record = journal.read(tmp_path, "token")

    assert record is not None
    assert (record.worker, record.batch_id) == ("host/1/2/3", 7)
    assert record.evidence.in_doubt == frozenset({1})
    assert not record.evidence.is_complete


def test_one_that_cannot_be_begun_leaves_no_file_open(tmp_path: Path) -> None:
    (tmp_path / "token.journal").touch()
    with room_for(tmp_path / "token.journal", 5), pytest.raises(OSError, match="No space left"):
        Journal(tmp_path, "token", worker="host/1/2/3", batch_id=7)

    # Whoever still had it open would still have it locked.
    with (tmp_path / "token.journal").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_was_removed_is_not_there(tmp_path: Path, open_journal: Journal) -> None:
    open_journal.remove()
    open_journal.remove()

    assert journal.read(tmp_path, "token") is None
    assert list(journal.tokens(tmp_path)) == []


def test_what_was_abandoned_can_be_read(tmp_path: Path, open_journal: Journal) -> None:
    open_journal.begin(1)
    open_journal.abandon()

    assert list(journal.tokens(tmp_path)) == ["token"]


def test_it_is_not_left_behind_while_its_writer_lives(
    tmp_path: Path, open_journal: Journal
) -> None:
    with journal.left_behind(tmp_path, "token") as record:
        assert record is None
    open_journal.abandon()
    with journal.left_behind(tmp_path, "token") as record:
        assert record is not None


def test_what_was_left_behind_is_given_to_one_at_a_time(
    tmp_path: Path, open_journal: Journal
) -> None:
    open_journal.abandon()
    with journal.left_behind(tmp_path, "token"), journal.left_behind(tmp_path, "token") as second:
        assert second is None


def test_one_that_was_only_just_created_is_not_left_behind(tmp_path: Path) -> None:
    (tmp_path / "token.journal").touch()
    with journal.left_behind(tmp_path, "token") as record:
        assert record is None


def test_nobody_else_may_read_it(tmp_path: Path, open_journal: Journal) -> None:
    (path,) = tmp_path.iterdir()

    assert path.stat().st_mode & 0o077 == 0


def test_every_line_written_before_a_kill_is_there(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from distributor.engine.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]), 'token', worker='w', batch_id=1)\n"
        "journal.begin(41)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)

    with journal.left_behind(tmp_path, "token") as record:
        pass

    assert ended.returncode == -signal.SIGKILL
    assert record is not None
    assert record.evidence.in_doubt == {41}


@given(reply=st.text(max_size=500))
def test_no_reply_can_break_a_line(tmp_path_factory: pytest.TempPathFactory, reply: str) -> None:
    folder = tmp_path_factory.mktemp("journal")
    written = Journal(folder, "token", worker="w", batch_id=1)
    written.end(answer(1, reply))
    written.abandon()

    record = journal.read(folder, "token")

    assert record is not None
    assert [one.attempt.reply for one in record.evidence.answers] == [reply]


def test_a_line_that_the_disk_has_no_room_for_stops_the_worker_before_its_message(
    tmp_path: Path, open_journal: Journal
) -> None:
    open_journal.begin(1)
    open_journal.end(answer(1))
    with room_for(tmp_path / "token.journal", 5), pytest.raises(OSError, match="No space left"):
        open_journal.begin(2)

    record = journal.read(tmp_path, "token")

    assert record is not None
    assert record.evidence.answers == (answer(1),)
    assert record.evidence.in_doubt == frozenset()


@contextmanager
def room_for(path: Path, number: int) -> Iterator[None]:
    """No file may grow longer than `path` is now and `number` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + number, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
