"""Reading an edition, with the verdict on whether it may go out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from distributor.digest.model import Digest, ReaderWarning
from distributor.digest.publishable import HoldReason
from distributor.digest.verdict import compared, judge
from distributor.ledger import digests
from distributor.settings import Settings

#: Earlier editions that a new one is compared with.
_COMPARED_EDITIONS = 7


@dataclass(frozen=True, slots=True)
class LoadedEdition:
    """An edition that was read, with the verdict on it."""

    #: The name that it was read under, kept with the source.
    name: str
    source: bytes
    digest: Digest
    #: Empty when the edition may go out.
    reasons: tuple[HoldReason, ...]
    #: What an operator should know; never a reason to hold it.
    warnings: tuple[ReaderWarning, ...] = ()

    @property
    def publishable(self) -> bool:
        """Whether nothing holds it."""
        return not self.reasons


def load(path: Path, settings: Settings) -> LoadedEdition:
    """The edition in `path`. Raises `UnreadableDigest` when there is none to read."""
    from distributor.digest import reader

    return read(reader.read_source(path), reader.name_of(path), settings)


def read(
    source: bytes, name: str, settings: Settings, unattended_at: datetime | None = None
) -> LoadedEdition:
    """The edition that `source` holds. Raises `UnreadableDigest` when it is no text.

    With `unattended_at`, the time when it is to go out without an operator who names it, its date
    is judged as well.
    """
    # Here and not above: the Markdown parser is loaded only by commands that read a digest.
    from distributor.digest import reader

    digest = reader.read(source, name, settings.reading.base_url)
    verdict = judge(digest, settings.holding.policy(), unattended_at)
    return LoadedEdition(name, source, digest, verdict.reasons, verdict.warnings)


def beside_earlier_ones(
    connection: sa.Connection, edition: LoadedEdition, settings: Settings
) -> tuple[ReaderWarning, ...]:
    """What the edition repeats of those that were sent before it."""
    from distributor.digest import reader

    before = digests.sent_before(
        connection, edition.digest.revision, edition.name, _COMPARED_EDITIONS
    )
    base_url = settings.reading.base_url
    earlier = [reader.read(one.source, one.name, base_url) for one in before]
    return settings.holding.policy().warnings((), compared(edition.digest, earlier))
