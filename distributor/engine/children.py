"""Child processes that never outlive this one, and are started again when they die."""

from __future__ import annotations

import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from distributor.engine import bound

_log = logging.getLogger(__name__)

#: A child that lived this long is taken to have started well, in seconds.
_HEALTHY_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
#: Of a log, where its last line is looked for.
_TAIL_BYTES = 8192


def spawn(command: Sequence[str], *, log: Path) -> subprocess.Popen[bytes]:
    """Start `command`, bound to the life of the calling *thread*, with its output in `log`.

    Linux delivers the death signal when the thread that forked ends, so call this from one that
    lives as long as the child should.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", bound.__file__, str(os.getpid()), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes], patience: float) -> None:
    """Ask a child to end, and kill it when it has not after `patience` seconds."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def pause_seconds(deaths: int) -> float:
    """How long a program that died so often, each time soon after its start, is left alone."""
    return min(_FIRST_PAUSE_SECONDS * 2.0 ** (deaths - 1), _LONGEST_PAUSE_SECONDS)


@dataclass(frozen=True, slots=True)
class Program:
    """A program to keep running."""

    name: str
    command: Sequence[str]
    #: Where its output goes.
    log: Path
    #: Whether the others talk to it, so that it has to end after them.
    outlives_others: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended by itself."""

    #: How often it did so far.
    times: int
    #: Exit code of the last time; negative: the signal that killed it.
    code: int
    #: The last line that it wrote before; empty when it wrote nothing.
    last_line: str


@dataclass(slots=True)
class _Child:
    program: Program
    process: subprocess.Popen[bytes]
    started: float
    #: Size of its log at that time.
    log_start: int
    deaths: int = 0
    restart_at: float | None = None
    ended: Ended | None = None


class Supervisor:
    """Keeps programs running until `stop`; one that dies is started again, ever slower."""

    def __init__(self) -> None:
        self._children: dict[str, _Child] = {}
        self._wanted: queue.SimpleQueue[Program] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._patience = 0.0
        # Children are bound to this thread, which lives until `stop`.
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def add(self, program: Program) -> None:
        """Start `program` soon, and keep it running; one of that name is left as it is."""
        self._wanted.put(program)

    def stop(self, patience: float = 10) -> None:
        """End all programs together; those that take longer than `patience` seconds are killed."""
        self._patience = patience
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def names(self) -> frozenset[str]:
        """Names of the programs that are kept running."""
        return frozenset(self._children)

    def ended(self, name: str) -> Ended | None:
        """How the program `name` ended by itself; None when it never did."""
        child = self._children.get(name)
        return child.ended if child else None

    def _run(self) -> None:
        while not self._stopping.wait(0.1):
            while not self._wanted.empty():
                self._launch(self._wanted.get())
            for child in self._children.values():
                self._look_after(child)
        self._end_all()

    def _end_all(self) -> None:
        children = self._children.values()
        deadline = time.monotonic() + self._patience
        for last in (False, True):
            running = [c.process for c in children if c.program.outlives_others is last]
            self._end_together(running, deadline)

    @staticmethod
    def _end_together(running: Sequence[subprocess.Popen[bytes]], deadline: float) -> None:
        for process in running:
            if process.poll() is None:
                process.terminate()
        for process in running:
            end(process, max(0.1, deadline - time.monotonic()))

    def _launch(self, program: Program) -> None:
        if program.name not in self._children:
            log_start = _size(program.log)
            process = spawn(program.command, log=program.log)
            self._children[program.name] = _Child(program, process, time.monotonic(), log_start)

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.restart_at is None:
            code = child.process.poll()
            if code is None:
                return
            lived = now - child.started
            child.deaths = 1 if lived > _HEALTHY_SECONDS else child.deaths + 1
            child.restart_at = now + pause_seconds(child.deaths)
            times = child.ended.times if child.ended else 0
            child.ended = Ended(times + 1, code, _last_line(child.program.log, child.log_start))
            _log.warning("%s ended with code %s; starting it again", child.program.name, code)
        elif now >= child.restart_at:
            child.log_start = _size(child.program.log)
            child.process = spawn(child.program.command, log=child.program.log)
            child.started, child.restart_at = now, None


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _last_line(log: Path, start: int) -> str:
    """The last line with something on it in `log` after the byte `start`."""
    with log.open("rb") as file:
        file.seek(max(start, _size(log) - _TAIL_BYTES))
        lines = file.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
