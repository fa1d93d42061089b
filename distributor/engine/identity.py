"""Who a worker is, told so precisely that another process can see that it is gone."""

from __future__ import annotations

import functools
import os
import socket
from pathlib import Path


def of_this_process() -> str:
    """`host/namespace/pid/start`: the same for the life of this process, and for no other."""
    pid = os.getpid()
    return f"{_host()}/{pid}/{_start_time(pid) or 0}"


@functools.cache
def boot() -> str:
    """The same from one start of this machine to the next; empty where that cannot be told."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def short(identity: str) -> str:
    """`host:pid`, for people."""
    host, _, pid, _ = identity.split("/")
    return f"{host}:{pid}"


def is_gone(identity: str) -> bool:
    """True when `identity` was a process of this machine that no longer runs.

    False for processes of other machines or containers, of which nothing can be known here.
    """
    parts = identity.split("/")
    if len(parts) != 4 or "/".join(parts[:2]) != _host():  # noqa: PLR2004
        return False
    start = _start_time(int(parts[2]))
    return start is None or start != int(parts[3])


def _host() -> str:
    try:
        # Two containers may share a host name and process ids, but not this.
        namespace = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        namespace = 0
    return f"{socket.gethostname()}/{namespace}"


def _start_time(pid: int) -> int | None:
    """When the process was started, in clock ticks since boot; None when it does not run.

    Field 22 of /proc/PID/stat, see proc(5). Where there is no /proc, 0 for a running process.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return 0 if not Path("/proc/self").exists() and _runs(pid) else None
    except ProcessLookupError:
        return None  # it ended while it was looked at
    # The command name may hold spaces and brackets; the fields count from behind it.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
