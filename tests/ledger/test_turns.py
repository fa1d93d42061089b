"""How SQLite's writers wait for each other."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from distributor.ledger.turns import Turns

HOLD = """
import sys, time
from pathlib import Path
from distributor.ledger.turns import Turns
with Turns(Path(sys.argv[1]), 60).taken():
    print("mine", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "turns"


@contextmanager
def held_by_another_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "mine\n"
        try:
            yield holder
        finally:
            holder.kill()


def test_one_thread_at_a_time_has_its_turn(path: Path) -> None:
    # Each stands for a process: a lock on a file belongs to whoever opened it.
    turns = [Turns(path, 60), Turns(path, 60)]
    inside, most = 0, 0

    def write(number: int) -> None:
        nonlocal inside, most
        for _ in range(50):
            with turns[number % 2].taken():
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_killed_process_leaves_its_turn_to_the_next(path: Path) -> None:
    with held_by_another_process(path) as holder:
        holder.kill()
        holder.wait()
        with Turns(path, 60).taken(), pytest.raises(BlockingIOError):
            _lock_at_once(path)


def test_whoever_waits_too_long_goes_on_without(path: Path) -> None:
    with held_by_another_process(path), Turns(path, 0).taken():
        pass


def test_where_no_file_can_be_all_go_on_without(tmp_path: Path) -> None:
    with Turns(tmp_path / "no such folder" / "turns", 60).taken():
        pass


def test_a_turn_within_a_turn_is_the_same_one(path: Path) -> None:
    turns = Turns(path, 60)
    with turns.taken(), turns.taken():
        pass


def _lock_at_once(path: Path) -> None:
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
