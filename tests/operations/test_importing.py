"""Looking at sources: what is new is imported, once, whoever looks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from distributor.digest.sources.folder import FolderSource
from distributor.digest.sources.model import Document, Fetched, Unread
from distributor.digest.sources.web import WebSource
from distributor.ledger.database import Ledger
from distributor.ledger.tables import digests, editions
from distributor.operations import importing
from distributor.operations.importing import Imported
from distributor.settings import load
from tests.support.service import Service, edition
from tests.support.site import site

EDITION = edition()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "content"
    path.mkdir()
    return path


def blog(folder: Path) -> FolderSource:
    return FolderSource("blog", folder, 60, 100_000)


def look(shop: Service, source: importing.Source) -> list[tuple[str, str]]:
    """What came of a look: the identity of each document, and what was done with it."""
    return [
        (one.identity, one.taken.value if isinstance(one, Imported) else one.message)
        for one in importing.look(shop.context, source)
    ]


def test_a_new_file_is_imported_once(shop: Service, folder: Path) -> None:
    (folder / "1.md").write_text(EDITION)

    assert look(shop, blog(folder)) == [("1.md", "new")]
    assert look(shop, blog(folder)) == []


def test_a_changed_file_is_a_revision(shop: Service, folder: Path) -> None:
    (folder / "1.md").write_text(EDITION)
    look(shop, blog(folder))
    (folder / "1.md").write_text(f"{EDITION}\nCorrected.\n")

    assert look(shop, blog(folder)) == [("1.md", "revised")]


def test_a_file_that_was_moved_is_nothing_new(shop: Service, folder: Path) -> None:
    (folder / "1.md").write_text(EDITION)
    look(shop, blog(folder))
    (folder / "1.md").rename(folder / "2.md")

    assert look(shop, blog(folder)) == []


def test_what_would_be_held_is_imported_with_the_reasons(shop: Service, folder: Path) -> None:
    (folder / "1.md").write_text("")

    (imported,) = importing.look(shop.context, blog(folder))

    assert isinstance(imported, Imported)
    assert imported.edition.reasons


def test_what_is_no_text_is_named_and_the_others_are_imported(shop: Service, folder: Path) -> None:
    (folder / "1.md").write_bytes(os.urandom(4096))
    (folder / "2.md").write_text(EDITION)

    (unread, imported) = look(shop, blog(folder))

    assert "1.md is not text" in unread[1]
    assert imported == ("2.md", "new")


def test_nothing_is_sent(shop: Service, folder: Path) -> None:
    (folder / "1.md").write_text(EDITION)
    look(shop, blog(folder))

    assert shop.hints.prepared == []


class Marked:
    """A source with a mark."""

    name, location = "marked", "here"

    def __init__(self, *documents: Document | Unread) -> None:
        self.documents = documents
        self.asked_with: list[str] = []

    def fetch(self, mark: str) -> Fetched:
        self.asked_with.append(mark)
        return Fetched(self.documents, "1")

    def check(self) -> str:
        raise NotImplementedError

    changes = check


def test_what_was_read_in_full_is_not_asked_for_again(shop: Service) -> None:
    source = Marked(Document("1", "1.md", EDITION.encode()))
    for _ in range(2):
        list(importing.look(shop.context, source))  # type: ignore[arg-type]

    assert source.asked_with == ["", "1"]


@pytest.mark.parametrize(
    "document", [Unread("2", "too large"), Document("2", "2.md", bytes(range(128, 256)) * 9)]
)
def test_what_could_not_be_read_is_asked_for_again(
    shop: Service, document: Document | Unread
) -> None:
    source = Marked(document)
    for _ in range(2):
        list(importing.look(shop.context, source))  # type: ignore[arg-type]

    assert source.asked_with == ["", ""]


def test_a_look_that_was_broken_off_is_made_up_for(shop: Service) -> None:
    source = Marked(*(Document(f"{n}", f"{n}.md", b"# %d" % n) for n in range(3)))
    next(importing.look(shop.context, source))  # type: ignore[arg-type]

    rest = [one.identity for one in importing.look(shop.context, source)]  # type: ignore[arg-type]

    assert rest == ["1", "2"]
    assert source.asked_with == ["", ""]


def test_a_post_at_a_fixed_address_is_another_edition_when_its_date_is_another(
    shop: Service,
) -> None:
    today = edition()
    tomorrow = edition().replace("2026-03-02", "2026-03-03")
    with site() as web:
        source = WebSource("web", web.put("/latest.md", today), 60, 10_000, 60, allow_private=True)
        outcomes = []
        for text in (today, f"{today}\nCorrected.\n", tomorrow):
            web.put("/latest.md", text)
            outcomes += [taken for _, taken in look(shop, source)]

    assert outcomes == ["new", "revised", "new"]


_LOOKER = """
import json, sys
from distributor.engine.context import build
from distributor.operations import importing
from distributor.settings import load
context = build(load())
(source,) = importing.sources_of(context.settings)
print("ready", flush=True)
for _ in sys.stdin:
    imported = [[one.identity, one.taken] for one in importing.look(context, source)]
    print(json.dumps(imported), flush=True)
"""


@contextmanager
def two_processes(environment: Mapping[str, str]) -> Iterator[Callable[[], list[list[str]]]]:
    """Lets two processes look at the same moment; tells what both of them imported."""
    with ExitStack() as ending:
        lookers = [
            ending.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", _LOOKER],
                    env={**os.environ, **environment},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(2)
        ]
        channels = [(one.stdin, one.stdout) for one in lookers if one.stdin and one.stdout]
        for _, out in channels:
            assert out.readline() == "ready\n"

        def look_together() -> list[list[str]]:
            for to, _ in channels:
                to.write("look\n")
                to.flush()
            return [one for _, out in channels for one in json.loads(out.readline())]

        yield look_together


def test_two_processes_that_look_at_the_same_time_import_each_edition_once(
    ledger: Ledger, folder: Path, tmp_path: Path
) -> None:
    config = tmp_path / "distributor.toml"
    config.write_text(f'[[sources]]\nname = "blog"\nkind = "folder"\npath = "{folder}"\n')
    environment = {
        "DISTRIBUTOR_CONFIG": str(config),
        "DISTRIBUTOR_STORAGE_VAR": str(tmp_path / "var"),
        "DISTRIBUTOR_DATABASE_URL": ledger.engine.url.render_as_string(hide_password=False),
    }
    names = [f"{number:02}.md" for number in range(20)]
    with two_processes(environment) as look_together:
        for text, wanted in (("first", "new"), ("corrected", "revised"), ("third", "revised")):
            for name in names:
                (folder / name).write_text(f"# {name}\n\n{text}\n")

            assert sorted(look_together()) == [[name, wanted] for name in names]
    with ledger.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(editions)) == 20
        assert connection.scalar(sa.select(sa.func.count()).select_from(digests)) == 60


def test_sources_are_made_as_they_are_configured(tmp_path: Path) -> None:
    config = tmp_path / "distributor.toml"
    config.write_text(
        '[[sources]]\nname = "a"\nkind = "folder"\npath = "content"\n'
        '[[sources]]\nname = "b"\nkind = "git"\nurl = "/srv/blog.git"\npath = "posts"\n'
        '[[sources]]\nname = "c"\nkind = "url"\nurl = "https://news.dev/feed.xml"\n'
    )

    made = importing.sources_of(load(config, {"DISTRIBUTOR_STORAGE_VAR": str(tmp_path)}))

    assert [(one.name, type(one).__name__) for one in made] == [
        ("a", "FolderSource"),
        ("b", "GitSource"),
        ("c", "WebSource"),
    ]
