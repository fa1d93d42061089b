"""Collects what the reader dropped or guessed, one warning for each kind."""

from __future__ import annotations

from distributor.digest.model import ReaderWarning


class Findings:
    """Warnings of one reading, in order of appearance.

    A file with a thousand dropped tags gives one warning that names the first and counts the
    rest, so that a report stays short whatever the file holds.
    """

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._count: dict[str, int] = {}

    def add(self, code: str, message: str) -> None:
        """Note `message`; `code` is short, stable and groups findings of the same kind."""
        self._first.setdefault(code, message)
        self._count[code] = self._count.get(code, 0) + 1

    def as_warnings(self) -> tuple[ReaderWarning, ...]:
        return tuple(
            ReaderWarning(code, self._first[code] + _and_more(count - 1))
            for code, count in self._count.items()
        )


def quoted(text: str, limit: int = 40) -> str:
    """`text` on one line in quotation marks, cut to `limit` characters."""
    line = " ".join(text.split())
    return f"“{line}”" if len(line) <= limit else f"“{line[: limit - 1]}…”"


def _and_more(count: int) -> str:
    return f" (and {count} more)" if count else ""
