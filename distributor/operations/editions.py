"""Reading an edition, with the verdict on whether it may go out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from distributor.digest.model import Digest
from distributor.digest.publishable import HoldReason, reasons_to_hold


@dataclass(frozen=True, slots=True)
class LoadedEdition:
    #: The name that it was read under, kept with the source.
    name: str
    source: bytes
    digest: Digest
    #: Empty when the edition may go out.
    reasons: tuple[HoldReason, ...]

    @property
    def publishable(self) -> bool:
        return not self.reasons


def load(path: Path) -> LoadedEdition:
    """The edition in `path`. Raises `UnreadableDigest` when there is none to read."""
    from distributor.digest import reader

    return read(reader.read_source(path), path.name)


def read(source: bytes, name: str) -> LoadedEdition:
    """The edition that `source` holds. Raises `UnreadableDigest` when it is no text."""
    # Here and not above: the Markdown parser is loaded only by commands that read a digest.
    from distributor.digest import reader

    digest = reader.read(source, name)
    return LoadedEdition(name, source, digest, reasons_to_hold(digest))
