"""Which delivery something is about, and how its messages say so."""

from __future__ import annotations

import re
from dataclasses import dataclass

from distributor.ledger.identifiers import identifier_in

_REVISION_DIGITS = 16
_MESSAGE_ID = re.compile(
    rf"<([0-9]{{1,19}})-[0-9a-f]{{{_REVISION_DIGITS}}}-([0-9]{{1,19}})@[^<>@\s]+>"
)


@dataclass(frozen=True, slots=True)
class DeliveryKey:
    """This subscriber, from this send."""

    subscriber_id: int
    send_id: int

    def identity(self, revision: str) -> str:
        """What every message of the delivery is known by, and no other delivery's.

        `revision`: the digest's SHA-256 in hexadecimal digits.
        """
        return f"{self.send_id}-{revision[:_REVISION_DIGITS]}-{self.subscriber_id}"


def of_message_id(message_id: str) -> DeliveryKey | None:
    """The delivery that a Message-ID, in its angle brackets, names; None for somebody else's."""
    found = _MESSAGE_ID.fullmatch(message_id)
    if found is None:
        return None
    send_id, subscriber_id = identifier_in(found[1]), identifier_in(found[2])
    if send_id is None or subscriber_id is None:
        return None
    return DeliveryKey(subscriber_id, send_id)
