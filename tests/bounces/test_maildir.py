"""Bounces in a Maildir."""

from __future__ import annotations

from pathlib import Path

import pytest

from distributor.bounces import maildir
from distributor.bounces.source import Disposal, SourceUnreachable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


def files(folder: Path) -> list[str]:
    return sorted(f"{path.parent.name}/{path.name}" for path in folder.glob("*/*"))


def test_what_is_new_or_unread_is_taken_in_and_marked_as_read(folder: Path) -> None:
    (folder / "new" / "1.host").write_bytes(b"one")
    (folder / "cur" / "2.host:2,F").write_bytes(b"two")
    (folder / "cur" / "3.host:2,S").write_bytes(b"read already")
    taken: list[bytes] = []

    maildir.fetch(folder, lambda octets, _to: taken.append(octets) or Disposal.PUT_AWAY)

    assert taken == [b"two", b"one"]
    assert files(folder) == ["cur/1.host:2,S", "cur/2.host:2,FS", "cur/3.host:2,S"]


@pytest.mark.parametrize("disposal", [Disposal.LEAVE, Disposal.LATER])
def test_what_is_no_report_or_came_too_early_stays_as_it_is(
    folder: Path, disposal: Disposal
) -> None:
    (folder / "new" / "1.host").write_bytes(b"a letter")

    maildir.fetch(folder, lambda _octets, _to: disposal)

    assert files(folder) == ["new/1.host"]


def test_what_could_not_be_taken_in_is_there_the_next_time(folder: Path) -> None:
    (folder / "new" / "1.host").write_bytes(b"one")

    def break_off(_octets: bytes, _to: str) -> Disposal:
        raise ConnectionError("the ledger is away")

    with pytest.raises(ConnectionError):
        maildir.fetch(folder, break_off)
    assert files(folder) == ["new/1.host"]


def test_a_folder_that_is_no_maildir_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable, match="is no Maildir: it wants the folders new"):
        maildir.fetch(tmp_path, lambda _octets, _to: Disposal.PUT_AWAY)
