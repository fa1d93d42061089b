"""Child processes: bound to the life of their parent, and started again when they die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from distributor.engine import children
from distributor.engine.children import Program, Supervisor
from tests.support.waiting import eventually

#: Starts a child as `spawn` does, tells its process id, and waits.
_PARENT = """
import sys
from pathlib import Path
from distributor.engine import children
print(children.spawn(["/bin/sleep", "600"], log=Path(sys.argv[1])).pid, flush=True)
input()
"""


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    started = Supervisor()
    started.start()
    yield started
    started.stop(patience=0.2)


def program(folder: Path, script: str, name: str = "program") -> Program:
    """A shell script that first writes its process id to a file."""
    command = ["/bin/sh", "-c", f"echo $$ >> {folder / name}.pids; {script}"]
    return Program(name, command, log=folder / f"{name}.log")


def pids(folder: Path, name: str = "program") -> list[int]:
    """Process ids of every start so far."""
    file = folder / f"{name}.pids"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def runs(pid: int) -> bool:
    with suppress(ProcessLookupError, FileNotFoundError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT, tmp_path / "log"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        # Not before the script in between has handed over: it would see for itself.
        eventually(lambda: command_of(child).startswith("/bin/sleep"))
        parent.send_signal(signal.SIGKILL)
    eventually(lambda: not runs(child))


def test_what_a_child_says_is_kept_in_its_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "child.log"
    children.spawn(["/bin/sh", "-c", "echo out; echo err >&2"], log=log).wait(10)
    assert sorted(log.read_text().split()) == ["err", "out"]


def test_a_program_that_died_is_started_again(tmp_path: Path, supervisor: Supervisor) -> None:
    supervisor.add(program(tmp_path, "exec sleep 600"))
    (first,) = eventually(lambda: pids(tmp_path))
    os.kill(first, signal.SIGKILL)
    _, second = eventually(lambda: pids(tmp_path)[1:] and pids(tmp_path))
    assert runs(second)


def test_a_program_that_dies_again_and_again_is_started_ever_slower() -> None:
    pauses = [children.pause_seconds(deaths) for deaths in range(1, 9)]

    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5])


def test_a_program_that_dies_at_once_is_started_again_every_time(
    tmp_path: Path, supervisor: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor.add(program(tmp_path, "exit 3"))

    eventually(lambda: len(pids(tmp_path)) >= 3)

    assert "program ended with code 3; starting it again" in caplog.text


def test_the_last_words_of_a_program_that_died_are_known(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    (tmp_path / "program.log").write_text("words of long ago\n")
    supervisor.add(program(tmp_path, "echo first; echo 'no way in'; echo; exit 3"))
    supervisor.add(program(tmp_path, "exit 4", name="mute"))
    supervisor.add(program(tmp_path, "exec sleep 600", name="well"))

    ended = eventually(lambda: supervisor.ended("program"))
    mute = eventually(lambda: supervisor.ended("mute"))

    assert (ended.code, ended.last_line) == (3, "no way in")
    assert (mute.code, mute.last_line) == (4, "")
    assert supervisor.ended("well") is None


def test_a_program_of_a_known_name_is_left_as_it_is(tmp_path: Path, supervisor: Supervisor) -> None:
    supervisor.add(program(tmp_path, "exec sleep 600"))
    supervisor.add(program(tmp_path, "exec sleep 600"))
    supervisor.add(program(tmp_path, "exec sleep 600", name="last"))
    eventually(lambda: pids(tmp_path, "last") and pids(tmp_path))
    assert len(pids(tmp_path)) == 1
    assert supervisor.names() == {"program", "last"}


def test_stopping_ends_every_program(tmp_path: Path, supervisor: Supervisor) -> None:
    for name in ("one", "two"):
        supervisor.add(program(tmp_path, "exec sleep 600", name))
    eventually(lambda: pids(tmp_path, "one") and pids(tmp_path, "two"))
    supervisor.stop()
    assert not any(runs(pid) for name in ("one", "two") for pid in pids(tmp_path, name))


def test_stopping_lets_a_program_finish_what_it_does(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    done = tmp_path / "done"
    script = f"trap 'touch {done}; exit' TERM; touch {tmp_path}/ready; while :; do sleep 0.05; done"
    supervisor.add(program(tmp_path, script))
    eventually((tmp_path / "ready").exists)
    supervisor.stop()
    assert done.exists()


def test_a_program_that_does_not_want_to_end_is_killed(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    script = f"trap '' TERM; touch {tmp_path}/ready; while :; do sleep 0.05; done"
    supervisor.add(program(tmp_path, script))
    eventually((tmp_path / "ready").exists)
    supervisor.stop(patience=0.2)
    assert not runs(pids(tmp_path)[0])


def test_stopping_twice_or_before_the_start_does_no_harm(supervisor: Supervisor) -> None:
    supervisor.stop()
    supervisor.stop()
    Supervisor().stop()
