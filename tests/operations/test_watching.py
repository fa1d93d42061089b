"""Watching: what happens is imported and told, and what is away is waited for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from distributor.digest.sources.folder import FolderSource
from distributor.digest.sources.model import Fetched, Source, every
from distributor.operations import watching
from distributor.operations.catalogue import newest
from distributor.operations.errors import OperationError
from tests.support.service import Service, edition
from tests.support.waiting import eventually


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "content"
    path.mkdir()
    return path


def blog(folder: Path, poll_seconds: float = 3600) -> FolderSource:
    return FolderSource("blog", folder, poll_seconds, 100_000)


@contextmanager
def watched(shop: Service, *sources: Source) -> Iterator[threading.Thread]:
    stopping = threading.Event()
    watcher = threading.Thread(target=watching.watch, args=(shop.context, sources, stopping))
    watcher.start()
    try:
        yield watcher
    finally:
        stopping.set()
        watcher.join()


def names(shop: Service) -> set[str | None]:
    return {one.entry.identity for one in newest(shop.context, source=None, limit=100)}


def test_what_is_there_and_what_comes_is_imported(shop: Service, folder: Path) -> None:
    (folder / "1.md").write_text(edition())
    with watched(shop, blog(folder)):
        eventually(lambda: names(shop) == {"1.md"})
        (folder / "2.md").write_text(edition(items=3))
        eventually(lambda: names(shop) == {"1.md", "2.md"})


def test_two_watchers_and_a_change_make_one_revision(shop: Service, folder: Path) -> None:
    (folder / "1.md").write_text(edition())
    with watched(shop, blog(folder)), watched(shop.another_process(), blog(folder)):
        eventually(lambda: names(shop) == {"1.md"})
        (folder / "1.md").write_text(edition(items=3))
        eventually(lambda: newest(shop.context, source=None, limit=1)[0].entry.revisions == 2)

    assert len(newest(shop.context, source=None, limit=100)) == 1


def test_trouble_is_told_once_and_its_end_too(
    shop: Service, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="distributor.operations.watching")
    missing = folder / "later"
    looked = CountedLooks(blog(missing, poll_seconds=0.01))
    with watched(shop, looked):
        eventually(lambda: looked.number > 2)
        missing.mkdir()
        eventually(lambda: "blog: all is well again" in caplog.messages)

    assert len([line for line in caplog.messages if "cannot be read" in line]) == 1


def test_one_source_that_is_away_keeps_no_other_waiting(shop: Service, folder: Path) -> None:
    (folder / "1.md").write_text(edition())
    with watched(shop, blog(folder / "missing"), blog(folder)):
        eventually(lambda: names(shop) == {"1.md"})


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_ours_ends_the_program_instead_of_going_unnoticed(shop: Service) -> None:
    with pytest.raises(OperationError, match="source faulty is not followed any more"):
        watching.watch(shop.context, [Faulty()], threading.Event())


class CountedLooks:
    """A source that counts how often it was looked at."""

    def __init__(self, source: FolderSource) -> None:
        self._source = source
        self.number = 0

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def location(self) -> str:
        return self._source.location

    def fetch(self, mark: str) -> Fetched:
        self.number += 1
        return self._source.fetch(mark)

    def check(self) -> str:
        return self._source.check()

    def changes(self, stopping: threading.Event) -> Iterator[None]:
        return self._source.changes(stopping)


class Faulty:
    name = location = "faulty"

    def fetch(self, mark: str) -> Fetched:
        raise ZeroDivisionError(mark)

    def check(self) -> str:
        raise ZeroDivisionError

    def changes(self, stopping: threading.Event) -> Iterator[None]:
        return every(3600, stopping)
