"""Which editions are known, whether they may go out, and whether they did."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from distributor.digest.view import iso_date
from distributor.engine.context import Context
from distributor.ledger import catalogue, digests, sends
from distributor.ledger.catalogue import Entry
from distributor.ledger.sends import Send
from distributor.operations.editions import LoadedEdition, read
from distributor.operations.errors import OperationError, WrongRequest
from distributor.operations.times import iso

_REVISION = re.compile(r"[0-9a-f]{4,64}")


class EditionState(StrEnum):
    """How far an edition has come."""

    #: It may go out, and no revision of it did.
    READY = "ready"
    #: It should not go out.
    HELD = "held"
    #: The current revision went out, or is on its way or scheduled.
    SENT = "sent"
    #: An earlier revision went out, and the edition was changed since.
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Listed:
    """An edition of the catalogue with what was sent of it."""

    entry: Entry
    edition: LoadedEdition
    state: EditionState
    last_send: Send | None

    def as_json(self) -> dict[str, object]:
        """The object of `digest list --json`."""
        digest, send = self.edition.digest, self.last_send
        return {
            "revision": digest.revision,
            "source": self.entry.source,
            "identity": self.entry.identity,
            "name": self.edition.name,
            "title": digest.title,
            "date": iso_date(digest.date) if digest.date else None,
            "revisions": self.entry.revisions,
            "imported_at": iso(self.entry.imported_at),
            "changed_at": iso(self.entry.changed_at),
            "state": self.state.value,
            "reasons": [{"code": r.code, "message": r.message} for r in self.edition.reasons],
            "last_send": send
            and {
                "send": send.id,
                "digest": send.revision,
                "state": send.state.value,
                "started_at": iso(send.started_at),
                "finished_at": iso(send.finished_at),
            },
        }


def newest(context: Context, *, source: str | None, limit: int) -> tuple[Listed, ...]:
    """The newest editions, of `source` or of all. Raises `OperationError` for no such source."""
    with context.ledger.read() as connection:
        found = []
        for entry in catalogue.entries(connection, source=source, limit=limit):
            stored = digests.get(connection, entry.digest_id)
            edition = read(stored.source, stored.name, context.settings)
            send = sends.find(connection, entry.last_send) if entry.last_send else None
            found.append(Listed(entry, edition, _state(entry, edition), send))
    names = [one.name for one in context.settings.sources]
    if not found and source is not None and source not in names:
        known = ", ".join(names) or "none"
        raise OperationError(
            f"there is no source {source!r} in the configuration; there are: {known}"
        )
    return tuple(found)


def source_of(context: Context, revision: str) -> bytes:
    """The bytes of the digest whose revision begins so. Raises `OperationError`."""
    if not _REVISION.fullmatch(revision):
        raise WrongRequest(
            f"{revision}: not a revision; it has 4 to 64 of the digits 0 to 9 and a to f, "
            "as shown by: distributor digest list"
        )
    with context.ledger.read() as connection:
        found = digests.with_prefix(connection, revision, limit=2)
        if len(found) == 1:
            return digests.get(connection, found[0]).source
    what = "more than one revision begins" if found else "no revision begins"
    raise OperationError(f"{what} with {revision}; see them with: distributor digest list --json")


def _state(entry: Entry, edition: LoadedEdition) -> EditionState:
    if entry.sent is not None:
        return EditionState.SENT
    if not edition.publishable:
        return EditionState.HELD
    return EditionState.READY if entry.sent_before is None else EditionState.CHANGED
