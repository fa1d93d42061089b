"""A folder of Markdown files, such as the content tree of a Hugo site."""

from __future__ import annotations

import logging
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from distributor.digest.sources.model import (
    Document,
    Fetched,
    SourceUnreachable,
    Unread,
    clean,
    storable,
)

_log = logging.getLogger(__name__)

_SUFFIXES = frozenset({".md", ".markdown", ".mdx"})
#: Files that stand beside editions and are none, by their stem in lower case.
_NO_EDITIONS = frozenset({"readme", "license", "changelog", "contributing"})
#: Several writes within this time are one change, in milliseconds.
_SETTLE_MS, _STEP_MS = 1600, 50


@dataclass(frozen=True, slots=True)
class FolderSource:
    """All Markdown files below `path`.

    Left out are hidden files, files that begin with `_` (Hugo's section pages), README and its
    like, and what a symbolic link brings in from outside.
    """

    name: str
    path: Path
    #: How often to look even when the system tells of no change, as on a network drive.
    poll_seconds: float
    #: Of one file.
    max_bytes: int

    @property
    def location(self) -> str:
        return storable(str(self.path))

    def fetch(self, mark: str) -> Fetched:  # noqa: ARG002
        """Every document there; a folder knows no mark."""
        return Fetched(self._documents())

    def check(self) -> str:
        number = sum(1 for _ in self._files())
        return f"{number:,} Markdown file{'s' if number != 1 else ''} in {self.path}"

    def changes(self, stopping: threading.Event) -> Iterator[None]:
        from watchfiles._rust_notify import RustNotify

        patience_ms = round(self.poll_seconds * 1000)
        while not stopping.is_set():
            try:
                notify = RustNotify([str(self.path)], False, False, 0, True, True)
            except OSError as error:
                # Not there yet, or the system watches too many folders already.
                _log.debug("%s is not watched for changes: %s", self.path, error)
                yield
                stopping.wait(self.poll_seconds)
                continue
            with notify:
                told: object = None
                # A folder that was moved away and made anew has to be watched anew.
                while not stopping.is_set() and told != "timeout":
                    yield
                    told = notify.watch(_SETTLE_MS, _STEP_MS, patience_ms, stopping)

    def _documents(self) -> Iterator[Document | Unread]:
        for path in self._files():
            identity = storable(path.relative_to(self.path).as_posix())
            place = clean(str(path))
            try:
                content = self._read(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                yield Unread(identity, f"{place} cannot be read: {error.strerror or error}")
                continue
            if content is None:
                yield Unread(identity, f"{place} is larger than max_bytes, {self.max_bytes:,}")
            else:
                yield Document(identity, identity, content)

    def _read(self, path: Path) -> bytes | None:
        """The bytes of a file; None when there are too many."""
        with path.open("rb") as file:
            content = file.read(self.max_bytes + 1)
        return content if len(content) <= self.max_bytes else None

    def _files(self) -> Iterator[Path]:
        """Files that may hold an edition, in order of their paths. Raises `SourceUnreachable`."""
        try:
            root = self.path.resolve(strict=True)
            # A walk is silent about a folder that it may not enter; the first must be there.
            os.scandir(root).close()
        except OSError as error:
            raise SourceUnreachable(
                f"the folder {self.path} cannot be read: {error.strerror or error}; "
                "check its path and permissions"
            ) from error
        for folder, subfolders, files in os.walk(self.path):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            for name in sorted(files):
                path = Path(folder, name)
                if _may_be_edition(path) and _is_inside(path, root):
                    yield path


def _may_be_edition(path: Path) -> bool:
    is_markdown = path.suffix.lower() in _SUFFIXES
    is_edition = not path.name.startswith((".", "_")) and path.stem.lower() not in _NO_EDITIONS
    return is_markdown and is_edition


def _is_inside(path: Path, root: Path) -> bool:
    """Whether `path` is a plain file that stands below `root` in truth."""
    try:
        target = path.resolve(strict=True)
        is_file = stat.S_ISREG(target.stat().st_mode)
    except OSError:
        return False
    return is_file and target.is_relative_to(root)
