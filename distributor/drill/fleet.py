"""The programs of the service as child processes: started, killed, started again, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from distributor.engine import broker, children
from distributor.engine.hints import CONTROL_QUEUE
from distributor.operations.errors import OperationError
from distributor.operations.runtime import sandbox_answers
from distributor.settings import Settings

SANDBOX = "sandbox"
SCHEDULER = "scheduler"
WEB = "web"
EMAIL_WORKERS = ("worker-email-1", "worker-email-2")
#: Which channel each worker delivers on.
WORKERS = {
    **dict.fromkeys(EMAIL_WORKERS, "email"),
    "worker-telegram": "telegram",
    "worker-wechat": "wechat",
}
CONTROL = f"worker-{CONTROL_QUEUE}"

_COMMANDS = {
    SANDBOX: ("sandbox",),
    **{name: ("worker", "--channel", channel) for name, channel in WORKERS.items()},
    CONTROL: ("worker", "--channel", CONTROL_QUEUE),
    SCHEDULER: ("scheduler",),
    WEB: ("web",),
}
_ENDING_SECONDS = 15
#: A program that ended by itself is started again after so long.
_RESTART_SECONDS = 0.5
_PATIENCE_SECONDS = 15


@dataclass(slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    #: Set while it is down.
    restart_at: float | None = None


@dataclass(slots=True)
class Fleet:
    """All programs of one drill. Used by the thread that made it: they die with that thread."""

    settings: Settings
    #: Programs that ended though nobody killed them, each with its exit code.
    ended_by_themselves: list[str] = field(default_factory=list)
    _children: dict[str, _Child] = field(default_factory=dict)

    @property
    def logs(self) -> Path:
        return self.settings.var / "log"

    def start(self, *names: str) -> None:
        """Start the programs `names`, or all of them."""
        for name in names or _COMMANDS:
            command = (sys.executable, "-m", "distributor", *_COMMANDS[name])
            process = children.spawn(command, log=self.logs / f"{name}.log")
            self._children[name] = _Child(process)

    def kill(self, name: str, restart_after: float) -> int | None:
        """Kill a program and have `tend` start it again; its process id, None if it is down."""
        child = self._children[name]
        if child.restart_at is not None:
            return None
        child.process.kill()
        child.process.wait()
        child.restart_at = time.monotonic() + restart_after
        return child.process.pid

    def freeze(self, name: str, seconds: float) -> None:
        """Stop a program for a moment, its connections open."""
        process = self._children[name].process
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)

    def tend(self) -> None:
        """Start again what is down and due."""
        for name, child in self._children.items():
            if child.restart_at is None and child.process.poll() is not None:
                self.ended_by_themselves.append(f"{name} (code {child.process.returncode})")
                child.restart_at = time.monotonic() + _RESTART_SECONDS
            if child.restart_at is not None and time.monotonic() >= child.restart_at:
                self.start(name)

    def stop(self, *names: str) -> list[str]:
        """End the programs `names`, or all; returns those that had to be killed."""
        running = {
            name: child.process
            for name in names or tuple(self._children)
            if (child := self._children.pop(name, None)) is not None
        }
        for process in running.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + _ENDING_SECONDS
        killed = []
        for name, process in running.items():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed.append(name)
        return killed

    def stop_service(self) -> list[str]:
        """End everything but the sandbox; returns what had to be killed."""
        return self.stop(*(name for name in _COMMANDS if name != SANDBOX))

    def kill_redis(self) -> None:
        with broker.client(self.settings) as client:
            self._wait_for_redis()
            with suppress(ProcessLookupError):
                os.kill(int(client.info("server")["process_id"]), signal.SIGKILL)

    def flush_redis(self) -> None:
        self._wait_for_redis()
        with broker.client(self.settings) as client:
            client.flushall()

    def wait_for_sandbox(self) -> None:
        """Start it again when it is due, and return once it answers."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not sandbox_answers(self.settings):
            if time.monotonic() > deadline:
                raise OperationError("the sandbox did not come back")
            self.tend()
            time.sleep(0.05)

    def left_over(self) -> list[str]:
        """Programs of this drill that still run, by their commands; nothing where no /proc is."""
        mark = f"DISTRIBUTOR_STORAGE_VAR={self.settings.var}".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if int(process.name) != os.getpid() and _belongs(process, mark, self.settings.var):
                    command = (process / "cmdline").read_bytes().replace(b"\0", b" ")
                    found.append(f"{process.name}: {command.decode(errors='replace').strip()}")
        return found

    def _wait_for_redis(self) -> None:
        """It may be down since the process that hosted it was killed."""
        from distributor.engine.embedded_redis import RedisUnavailable

        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                broker.check(self.settings)
            except RedisUnavailable as error:
                if time.monotonic() > deadline:
                    raise OperationError(f"Redis did not come back: {error}") from error
                self.tend()
                time.sleep(0.05)
            else:
                return


def _belongs(process: Path, mark: bytes, var: Path) -> bool:
    # The Redis server writes its title over its environment, but works in its folder.
    if (process / "cwd").readlink().is_relative_to(var):
        return True
    return mark in (process / "environ").read_bytes().split(b"\0")
