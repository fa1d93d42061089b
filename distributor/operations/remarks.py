"""What an operator should know of a send's edition: dropped or guessed in reading, shortened."""

from __future__ import annotations

from dataclasses import dataclass

from distributor.ledger import digests, freeze
from distributor.ledger.database import Ledger
from distributor.ledger.sends import Send
from distributor.operations import editions
from distributor.settings import Settings

#: What a remark is about when it is not a channel.
READING = "reading"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that held nothing up."""

    #: A channel's name, or `READING`.
    about: str
    text: str

    def as_json(self) -> dict[str, str]:
        return {"about": self.about, "message": self.text}


def of_send(ledger: Ledger, settings: Settings, send: Send) -> tuple[Remark, ...]:
    """What was found in reading the edition, and what its channels left out of it."""
    with ledger.read() as connection:
        stored = digests.get(connection, send.digest_id)
        of_channels = freeze.warnings_of(connection, send.id)
    edition = editions.read(stored.source, stored.name, settings)
    return (
        *(Remark(READING, warning.message) for warning in edition.warnings),
        *(Remark(channel, warning) for channel, warning in of_channels),
    )
