"""Whether the process that an identity names still runs, told without asking it."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from distributor.engine import identity
from tests.support.waiting import eventually

_TELL = "from distributor.engine import identity; print(identity.of_this_process(), flush=True)"


@contextmanager
def child() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running process that has said who it is, and waits."""
    with subprocess.Popen(
        [sys.executable, "-c", f"{_TELL}; input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_this_process_lives() -> None:
    assert not identity.is_gone(identity.of_this_process())


def test_this_process_has_one_identity() -> None:
    assert identity.of_this_process() == identity.of_this_process()


def test_another_running_process_lives() -> None:
    with child() as (_, name):
        assert not identity.is_gone(name)


def test_a_process_that_ended_is_gone() -> None:
    with child() as (process, name):
        process.kill()
        process.wait()
        assert identity.is_gone(name)


@pytest.mark.skipif(sys.platform != "linux", reason="only /proc tells a zombie from a process")
def test_a_process_that_was_killed_and_that_its_parent_has_not_noticed_is_gone() -> None:
    with child() as (process, name):
        process.kill()
        eventually(lambda: identity.is_gone(name))


def test_a_process_id_that_another_process_has_by_now_is_gone() -> None:
    host, namespace, pid, start = identity.of_this_process().split("/")
    assert identity.is_gone(f"{host}/{namespace}/{pid}/{int(start) - 1}")


@pytest.mark.parametrize("part", [0, 1], ids=["host", "container"])
def test_a_process_of_another_host_or_container_is_never_judged(part: int) -> None:
    with child() as (process, name):
        process.kill()
        process.wait()
        parts = name.split("/")
        parts[part] = "1"
        assert not identity.is_gone("/".join(parts))


def test_what_is_no_identity_is_never_judged() -> None:
    assert not identity.is_gone("worker-1")


def test_people_read_host_and_process_id() -> None:
    assert identity.short("news-1/4026531836/321/998877") == "news-1:321"


def test_one_that_cannot_be_looked_at_is_not_taken_for_gone() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    own = identity.of_this_process()
    # All files that may be open are.
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            identity.is_gone(own)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
