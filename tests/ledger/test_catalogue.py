"""The list of editions, as both databases give it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.engine import Connection

from distributor.digest import reader
from distributor.ledger import catalogue, digests, editions, sends
from distributor.ledger.catalogue import Entry
from distributor.ledger.database import Ledger
from distributor.ledger.states import SendState

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def bring(c: Connection, identity: str, *texts: str) -> int:
    """Revisions of an edition, one after the other; returns the last one's digest."""
    for hours, text in enumerate(texts):
        digest = reader.read(text.encode(), identity)
        at = AT + timedelta(hours=hours)
        stored = digests.store(c, digest, source=text.encode(), name=identity, at=at)
        seen = editions.known(c, "blog").current.get(identity)
        editions.take(c, stored, source="blog", identity=identity, seen=seen, at=at)
    return stored


def send(c: Connection, digest_id: int, state: SendState = SendState.FINISHED) -> int:
    return sends.create(c, digest_id=digest_id, state=state, at=AT, deadline_at=AT)


def listed(c: Connection) -> dict[str | None, Entry]:
    return {one.identity: one for one in catalogue.entries(c, source=None, limit=10)}


@pytest.fixture
def entries(ledger: Ledger) -> dict[str | None, Entry]:
    """Of an edition that was corrected after its send, one that was not sent, and a file."""
    with ledger.write() as c:
        first = bring(c, "2026-03-02.md", "a")
        send(c, first)
        bring(c, "2026-03-02.md", "b", "c")
        send(c, bring(c, "2026-03-03.md", "d"), SendState.CANCELED)
        alone = reader.read(b"e", "2026-03-01.md")
        send(c, digests.store(c, alone, source=b"e", name="2026-03-01.md", at=AT))
        return listed(c)


def test_the_newest_by_its_own_date_is_first(entries: dict[str | None, Entry]) -> None:
    assert list(entries) == ["2026-03-03.md", "2026-03-02.md", None]


def test_revisions_are_counted(entries: dict[str | None, Entry]) -> None:
    assert [one.revisions for one in entries.values()] == [1, 3, 1]


def test_the_times_are_those_of_the_first_and_the_last_revision(
    entries: dict[str | None, Entry],
) -> None:
    corrected = entries["2026-03-02.md"]

    assert corrected.imported_at == AT
    assert corrected.changed_at == AT + timedelta(hours=1)


def test_each_edition_has_its_own_sends(entries: dict[str | None, Entry]) -> None:
    found = {name: (one.last_send, one.sent, one.sent_before) for name, one in entries.items()}
    first, canceled, alone = sorted(one.last_send or 0 for one in entries.values())

    assert found == {
        "2026-03-02.md": (first, None, first),
        "2026-03-03.md": (canceled, None, None),
        None: (alone, alone, alone),
    }
