"""Collects what the reader dropped or guessed, one warning for each kind."""

from __future__ import annotations

from distributor.digest.model import ReaderWarning


class Findings:
    """Warnings of one reading, in order of appearance.

    A file with a thousand dropped tags gives one warning that names the first and counts the
    rest, so that a report stays short whatever the file holds.
    """

    def __init__(self) -> None:
        self._messages: dict[str, dict[str, None]] = {}

    def add(self, code: str, message: str) -> None:
        """Note `message`, once; `code` is short, stable and groups findings of the same kind."""
        self._messages.setdefault(code, {})[message] = None

    def as_warnings(self) -> tuple[ReaderWarning, ...]:
        return tuple(
            ReaderWarning(code, next(iter(messages)) + _and_more(len(messages) - 1))
            for code, messages in self._messages.items()
        )


def quoted(text: str, limit: int = 40) -> str:
    """`text` on one line in quotation marks, cut to `limit` characters."""
    line = " ".join(text.split())
    return f"“{line}”" if len(line) <= limit else f"“{line[: limit - 1]}…”"


def _and_more(count: int) -> str:
    return f" (and {count} more)" if count else ""
