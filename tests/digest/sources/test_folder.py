"""Which files of a folder are editions, and when to look again."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from distributor.digest.sources.folder import FolderSource
from distributor.digest.sources.model import Document, SourceUnreachable, Unread


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "content"
    path.mkdir()
    return path


def source(folder: Path, *, poll_seconds: float = 60, max_bytes: int = 10_000) -> FolderSource:
    return FolderSource("blog", folder, poll_seconds, max_bytes)


def write(folder: Path, name: str, content: bytes = b"# News") -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def found(folder: Path) -> list[str]:
    return [one.identity for one in source(folder).fetch("").documents]


def test_markdown_of_every_level_is_found_in_order(folder: Path) -> None:
    for name in ("posts/2.md", "posts/2025/1/index.md", "a.markdown", "b.mdx", "今日.md"):
        write(folder, name)

    assert found(folder) == [
        "a.markdown",
        "b.mdx",
        "今日.md",
        "posts/2.md",
        "posts/2025/1/index.md",
    ]


@pytest.mark.parametrize(
    "name",
    ["_index.md", ".draft.md", ".git/x.md", ".obsidian/y.md", "README.md", "x.html", "x.md.swp"],
)
def test_what_is_no_edition_is_left_out(folder: Path, name: str) -> None:
    write(folder, name)

    assert found(folder) == []


def test_a_document_has_the_bytes_of_its_file_and_a_name_that_tells_its_path(folder: Path) -> None:
    write(folder, "posts/2025-12-03/index.md", b"\xff\xfe\x00\r\n")

    (document,) = source(folder).fetch("").documents

    assert isinstance(document, Document)
    assert document.content == b"\xff\xfe\x00\r\n"
    assert document.name == "posts/2025-12-03/index.md"


def test_a_link_that_leads_outside_is_left_out(folder: Path, tmp_path: Path) -> None:
    write(tmp_path, "secret.md")
    write(folder, "real.md")
    (folder / "inside.md").symlink_to("real.md")
    (folder / "outside.md").symlink_to("../secret.md")
    (folder / "gone.md").symlink_to("nowhere.md")

    assert found(folder) == ["inside.md", "real.md"]


def test_what_is_no_plain_file_is_left_out(folder: Path) -> None:
    (folder / "folder.md").mkdir()
    os.mkfifo(folder / "pipe.md")

    assert found(folder) == []


def test_a_file_that_is_too_large_is_named_and_the_others_are_read(folder: Path) -> None:
    write(folder, "large.md", b"x" * 11)
    write(folder, "small.md", b"x" * 10)

    large, small = source(folder, max_bytes=10).fetch("").documents

    assert isinstance(large, Unread)
    assert "large.md is larger than max_bytes, 10" in large.message
    assert isinstance(small, Document)


def test_a_name_that_is_no_text_can_be_stored(folder: Path) -> None:
    (folder / os.fsdecode(b"\xff\n.md")).write_bytes(b"# News")

    assert found(folder) == ["?\ufffd.md"]


@pytest.mark.parametrize("look", [lambda s: s.check(), lambda s: list(s.fetch("").documents)])
def test_a_missing_folder_is_one_line_that_names_it(folder: Path, look: object) -> None:
    assert callable(look)
    with pytest.raises(SourceUnreachable, match=r"content/no such place cannot be read: No such"):
        look(source(folder / "no such place"))


def test_a_check_counts_the_files(folder: Path) -> None:
    write(folder, "1.md")

    assert source(folder).check() == f"1 Markdown file in {folder}"


def test_a_change_is_told_long_before_the_next_look(folder: Path) -> None:
    stopping = threading.Event()
    changes = source(folder, poll_seconds=3600).changes(stopping)
    next(changes)

    write(folder, "posts/new.md")

    # Only the change itself can bring it: the next look by the clock is in an hour.
    next(changes)
    stopping.set()
    assert list(changes) == []


def test_a_folder_that_is_not_there_yet_is_looked_for_by_the_clock(folder: Path) -> None:
    changes = source(folder / "later", poll_seconds=0.01).changes(threading.Event())

    next(changes)
    (folder / "later").mkdir()
    next(changes)
