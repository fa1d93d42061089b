"""Editions of sources: known once, with the revision that the source has now."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from distributor.digest import reader
from distributor.ledger import digests, editions
from distributor.ledger.database import Ledger
from distributor.ledger.editions import Taken
from distributor.ledger.tables import editions as table

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class Watcher:
    """Brings texts to the ledger, having seen what it knew before."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def current(self, identity: str = "1.md", source: str = "blog") -> str | None:
        with self.ledger.read() as c:
            return editions.known(c, source).current.get(identity)

    def bring(
        self, text: str, *, seen: str | None, identity: str = "1.md", source: str = "blog"
    ) -> Taken:
        digest = reader.read(text.encode(), identity)
        with self.ledger.write() as c:
            stored = digests.store(c, digest, source=text.encode(), name=identity, at=AT)
            return editions.take(c, stored, source=source, identity=identity, seen=seen, at=AT)

    def send_from_a_file(self, text: str) -> None:
        with self.ledger.write() as c:
            digest = reader.read(text.encode(), "file.md")
            digests.store(c, digest, source=text.encode(), name="file.md", at=AT)

    def bring_now(self, text: str, identity: str = "1.md", source: str = "blog") -> Taken:
        seen = self.current(identity, source)
        return self.bring(text, seen=seen, identity=identity, source=source)

    def texts(self) -> dict[str, str]:
        """The current text of each edition."""
        with self.ledger.read() as c:
            rows = c.execute(sa.select(table.c.source, table.c.identity, table.c.digest_id))
            return {
                f"{row.source}/{row.identity}": digests.get(c, row.digest_id).source.decode()
                for row in rows
            }


@pytest.fixture
def watcher(ledger: Ledger) -> Watcher:
    return Watcher(ledger)


def test_an_edition_is_new_once(watcher: Watcher) -> None:
    assert watcher.bring_now("a") is Taken.NEW
    assert watcher.bring_now("a") is Taken.KNOWN
    assert watcher.texts() == {"blog/1.md": "a"}


def test_a_changed_file_is_another_revision_of_the_same_edition(watcher: Watcher) -> None:
    watcher.bring_now("a")

    assert watcher.bring_now("b") is Taken.REVISED
    assert watcher.texts() == {"blog/1.md": "b"}


def test_a_change_that_is_taken_back_makes_the_earlier_revision_current(watcher: Watcher) -> None:
    for text in ("a", "b"):
        watcher.bring_now(text)

    assert watcher.bring_now("a") is Taken.REVISED
    assert watcher.texts() == {"blog/1.md": "a"}


def test_the_same_bytes_under_another_name_are_the_same_edition(watcher: Watcher) -> None:
    watcher.bring_now("a")

    assert watcher.bring_now("a", identity="renamed.md") is Taken.KNOWN
    assert watcher.bring_now("a", source="other") is Taken.KNOWN
    assert watcher.texts() == {"blog/1.md": "a"}


def test_the_same_name_in_two_sources_is_two_editions(watcher: Watcher) -> None:
    watcher.bring_now("a")

    assert watcher.bring_now("b", source="other") is Taken.NEW
    assert watcher.texts() == {"blog/1.md": "a", "other/1.md": "b"}


def test_what_an_operator_sent_before_becomes_an_edition_when_a_source_has_it(
    watcher: Watcher,
) -> None:
    watcher.send_from_a_file("a")

    assert watcher.bring_now("a") is Taken.NEW


def test_a_watcher_that_looked_earlier_does_not_undo_a_newer_revision(watcher: Watcher) -> None:
    """It read the file before the change, was slow, and brings the old text after it."""
    watcher.bring_now("a")
    seen_by_slow = watcher.current()
    watcher.bring_now("b")
    watcher.bring_now("c")

    assert watcher.bring("b", seen=seen_by_slow) is Taken.KNOWN
    assert watcher.texts() == {"blog/1.md": "c"}


def test_two_first_looks_that_saw_different_texts_leave_one_edition(watcher: Watcher) -> None:
    assert watcher.bring("a", seen=None) is Taken.NEW
    assert watcher.bring("b", seen=None) is Taken.KNOWN

    # The next look, which knows what is current, puts it right.
    assert watcher.bring_now("b") is Taken.REVISED
    assert watcher.texts() == {"blog/1.md": "b"}


@pytest.mark.parametrize("was", ["unknown", "sent from a file", "another revision"])
def test_of_many_watchers_at_the_same_moment_one_imports(watcher: Watcher, was: str) -> None:
    number, rounds = 4, 5
    together = threading.Barrier(number)
    for turn in range(rounds):
        text, identity = f"text {turn}", f"{turn}.md"
        if was == "sent from a file":
            watcher.send_from_a_file(text)
        elif was == "another revision":
            watcher.bring_now(f"before {turn}", identity)
        seen = watcher.current(identity)

        def bring(text: str, identity: str = identity, seen: str | None = seen) -> Taken:
            together.wait()
            return watcher.bring(text, seen=seen, identity=identity)

        with ThreadPoolExecutor(number) as pool:
            taken = Counter(pool.map(bring, [text] * number))

        wanted = Taken.REVISED if was == "another revision" else Taken.NEW
        assert taken == {wanted: 1, Taken.KNOWN: number - 1}
    assert set(watcher.texts().values()) == {f"text {turn}" for turn in range(rounds)}


class TestAMark:
    def test_of_a_source_that_was_never_read_is_empty(self, ledger: Ledger) -> None:
        with ledger.read() as c:
            assert editions.mark(c, "blog", "https://news.dev") == ""

    def test_is_the_one_set_last(self, ledger: Ledger) -> None:
        with ledger.write() as c:
            editions.set_mark(c, "blog", "https://news.dev", "1", AT)
            editions.set_mark(c, "blog", "https://news.dev", "2", AT + timedelta(hours=1))

            assert editions.mark(c, "blog", "https://news.dev") == "2"

    def test_is_forgotten_when_the_source_leads_elsewhere(self, ledger: Ledger) -> None:
        with ledger.write() as c:
            editions.set_mark(c, "blog", "https://old.dev", "1", AT)

            assert editions.mark(c, "blog", "https://new.dev") == ""
