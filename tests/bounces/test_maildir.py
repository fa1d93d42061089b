"""Bounces in a Maildir."""

from __future__ import annotations

from pathlib import Path

import pytest

from distributor.bounces import maildir
from distributor.bounces.source import Disposal, NotTaken, SourceUnreachable


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


def test_a_message_that_cannot_be_taken_in_stays_and_holds_up_no_other(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("1.host", "2.host"):
        (folder / "new" / name).write_bytes(name.encode())

    def refuse_the_first(octets: bytes, _to: str) -> Disposal:
        if octets == b"1.host":
            raise NotTaken
        return Disposal.PUT_AWAY

    maildir.fetch(folder, refuse_the_first)

    assert files(folder) == ["cur/2.host:2,S", "new/1.host"]
    assert f"{folder}/new/1.host could not be taken in and stays" in caplog.text


def test_a_folder_that_is_no_maildir_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable, match="is no Maildir: it wants the folders new"):
        maildir.fetch(tmp_path, lambda _octets, _to: Disposal.PUT_AWAY)
