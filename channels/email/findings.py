"""What may be found in a message that came back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReportKind(StrEnum):
    #: Given up: it will not arrive.
    BOUNCE = "bounce"
    #: Not yet arrived; the other side still tries.
    DELAY = "delay"
    #: The reader said that it is spam.
    COMPLAINT = "complaint"
    #: A machine answered for the reader: out of office, and the like.
    AUTO_REPLY = "auto-reply"
    #: A receipt, a letter of a person, or nothing that we understand.
    OTHER = "other"

    @property
    def is_report(self) -> bool:
        """It says something about a delivery."""
        return self in (ReportKind.BOUNCE, ReportKind.DELAY, ReportKind.COMPLAINT)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a message says. Every text in it is somebody else's claim."""

    kind: ReportKind
    #: RFC 3463 status of a bounce or delay, `5.1.1`; empty when it has none.
    status: str
    #: The other mail system's words on one line, at most 500 characters.
    words: str
    #: Whom it is about, in lower case; may name several.
    addresses: tuple[str, ...]
