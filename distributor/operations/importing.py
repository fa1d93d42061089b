"""Importing what sources give: each edition once, and a change as another revision of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from distributor.digest.decoding import UnreadableDigest
from distributor.digest.sources.folder import FolderSource
from distributor.digest.sources.git import GitSource
from distributor.digest.sources.model import Document, Source, Unread
from distributor.digest.sources.web import WebSource
from distributor.engine.context import Context
from distributor.ledger import digests, editions
from distributor.ledger.editions import Known, Taken
from distributor.operations.editions import LoadedEdition, read
from distributor.settings import Settings
from distributor.settings.sources import FolderSettings, GitSettings, SourceSettings, UrlSettings


@dataclass(frozen=True, slots=True)
class Imported:
    """An edition, or another revision of one, that was not known before."""

    source: str
    identity: str
    taken: Taken
    edition: LoadedEdition


def sources_of(settings: Settings) -> tuple[Source, ...]:
    """The configured sources, in the order of the configuration."""
    return tuple(_source(one, settings) for one in settings.sources)


def look(context: Context, source: Source) -> Iterator[Imported | Unread]:
    """Import what `source` has now; gives what was new, and what could not be read.

    May run in several processes at once, and be broken off at any moment. Raises
    `SourceUnreachable` and `LedgerUnavailable`.
    """
    with context.ledger.read() as connection:
        known = editions.known(connection, source.name)
        mark = editions.mark(connection, source.name, source.location)
    fetched = source.fetch(mark)
    if fetched is None:
        return
    is_whole = True
    for document in fetched.documents:
        for outcome in _import(context, source.name, document, known):
            is_whole = is_whole and isinstance(outcome, Imported)
            yield outcome
    # What could not be read is looked for again at the next turn.
    if is_whole and fetched.mark != mark:
        with context.ledger.write() as connection:
            editions.set_mark(connection, source.name, source.location, fetched.mark, context.now())


def _may_be_new(document: Document, known: Known) -> bool:
    current = known.current.get(document.identity)
    if current is None:
        # The same bytes under another name are no other edition: a file that was moved.
        return document.revision not in known.revisions
    return document.revision != current


def _import(
    context: Context, source: str, document: Document | Unread, known: Known
) -> Iterator[Imported | Unread]:
    if isinstance(document, Unread):
        yield document
        return
    if not _may_be_new(document, known):
        return
    try:
        edition = read(document.content, document.name, context.settings)
    except UnreadableDigest as error:
        yield Unread(document.identity, str(error))
        return
    identity = _identity(document, edition)
    at = context.now()
    with context.ledger.write() as connection:
        digest_id = digests.store(
            connection, edition.digest, source=edition.source, name=edition.name, at=at
        )
        taken = editions.take(
            connection,
            digest_id,
            source=source,
            identity=identity,
            seen=known.current.get(identity),
            at=at,
        )
    if taken is not Taken.KNOWN:
        yield Imported(source, identity, taken, edition)


def _identity(document: Document, edition: LoadedEdition) -> str:
    """What tells the edition apart: where every edition stands in the same place, its date."""
    if document.is_rolling and edition.digest.date is not None:
        return f"{document.identity} {edition.digest.date.isoformat()}"
    return document.identity


def _source(settings: SourceSettings, of: Settings) -> Source:
    match settings:
        case FolderSettings():
            return FolderSource(
                name=settings.name,
                path=settings.path.absolute(),
                poll_seconds=settings.poll_seconds,
                max_bytes=settings.max_bytes,
            )
        case GitSettings():
            return GitSource(
                name=settings.name,
                url=settings.url,
                branch=settings.branch,
                path=settings.path,
                copy=of.var / "sources" / settings.name,
                poll_seconds=settings.poll_seconds,
                max_bytes=settings.max_bytes,
                timeout_seconds=settings.timeout_seconds,
                allow_private=settings.allow_private,
            )
        case UrlSettings():
            return WebSource(
                name=settings.name,
                url=settings.url,
                poll_seconds=settings.poll_seconds,
                max_bytes=settings.max_bytes,
                timeout_seconds=settings.timeout_seconds,
                allow_private=settings.allow_private,
            )
        case _:
            raise TypeError(f"no source is made of {type(settings).__name__}")
