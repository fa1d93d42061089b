"""What a source is, and what it gives."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

#: Of an identity, in characters: databases do not index text of any length.
_LONGEST_IDENTITY = 500
#: Control characters and line ends: they could forge lines of a log or steer a terminal.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class SourceUnreachable(Exception):
    """A source that gives nothing for now: one line on what happened, to what, what to do."""


@dataclass(frozen=True, slots=True)
class Document:
    """One edition as its source has it now."""

    #: Tells the editions of a source apart, and stays when one is corrected: a path, an id.
    identity: str
    #: The file's name for the reader, who may find the date in it.
    name: str
    content: bytes
    #: Whether the next edition will come under the same identity, and only its date will differ.
    is_rolling: bool = False

    @property
    def revision(self) -> str:
        """The SHA-256 of the bytes, as of a digest."""
        return sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that should be a document, and why it could not be had: one line."""

    identity: str
    message: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a source had, and the mark to ask it with the next time."""

    documents: Iterable[Document | Unread]
    #: Given to the next fetch once all documents are kept, so that only what is new is fetched.
    mark: str = ""


class Source(Protocol):
    """Where editions come from; asked again and again."""

    @property
    def name(self) -> str:
        """The name that it has in the configuration."""

    @property
    def location(self) -> str:
        """Where it leads; a mark holds for this location only."""

    def fetch(self, mark: str) -> Fetched | None:
        """What is there now; None when nothing has changed since `mark`.

        Raises `SourceUnreachable`, also while the documents are being gone through.
        """

    def check(self) -> str:
        """A sentence about what was found there. Raises `SourceUnreachable`."""

    def changes(self, stopping: threading.Event) -> Iterator[None]:
        """Moments to look: at once, then whenever it may have changed, until `stopping`."""


def every(seconds: float, stopping: threading.Event) -> Iterator[None]:
    """Now, and then again and again after so many seconds."""
    while not stopping.is_set():
        yield
        stopping.wait(seconds)


def clean(text: str) -> str:
    """`text` from outside as any log, terminal and database takes it, on one line."""
    return _CONTROL.sub("\ufffd", text.encode("utf-8", "replace").decode("utf-8"))


def storable(text: str, limit: int = _LONGEST_IDENTITY) -> str:
    """`text`, cleaned, and with its hash at the end when it is longer than `limit`."""
    line = clean(text)
    if len(line) <= limit:
        return line
    digest = sha256(line.encode("utf-8")).hexdigest()
    return f"{line[: limit - len(digest) - 1]}…{digest}"
