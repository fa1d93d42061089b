"""Bounces that a mail server puts into a Maildir."""

from __future__ import annotations

from pathlib import Path

from distributor.bounces.source import Disposal, SourceUnreachable, Take, hand_over

_SEEN = "S"


def fetch(folder: Path, take: Take) -> None:
    """Take in every unread message and mark what is put away as read; letters stay unread.

    Raises `SourceUnreachable`.
    """
    if not all((folder / name).is_dir() for name in ("new", "cur", "tmp")):
        raise SourceUnreachable(f"{folder} is no Maildir: it wants the folders new, cur and tmp")
    for path in sorted(_unread(folder)):
        try:
            octets = path.read_bytes()
        except FileNotFoundError:
            continue  # another program was faster
        except OSError as error:
            raise SourceUnreachable(f"{path} cannot be read: {error.strerror}") from error
        if hand_over(take, octets, str(path)) is Disposal.PUT_AWAY:
            _mark_as_read(folder, path)


def _unread(folder: Path) -> list[Path]:
    return [
        path
        for name in ("new", "cur")
        for path in (folder / name).iterdir()
        if path.is_file() and not path.name.startswith(".") and _SEEN not in _flags(path)
    ]


def _flags(path: Path) -> str:
    """The letters after `:2,` in the name (https://cr.yp.to/proto/maildir.html)."""
    return path.name.partition(":2,")[2]


def _mark_as_read(folder: Path, path: Path) -> None:
    name = path.name.partition(":2,")[0]
    flags = "".join(sorted({*_flags(path), _SEEN}))
    path.rename(folder / "cur" / f"{name}:2,{flags}")
