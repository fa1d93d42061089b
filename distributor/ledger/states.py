"""The states of sends and deliveries. A delivery is in exactly one state, always."""

from __future__ import annotations

from enum import StrEnum


class SendState(StrEnum):
    """Where a send stands."""

    #: Written down, not yet released.
    DRAFT = "draft"
    #: Waits for its time.
    SCHEDULED = "scheduled"
    #: Audience and renderings are being frozen.
    PREPARING = "preparing"
    #: Deliveries are being worked on.
    SENDING = "sending"
    #: An operator stopped it; it goes on where it stopped.
    PAUSED = "paused"
    #: Every delivery has ended and the books balance.
    FINISHED = "finished"
    #: An operator ended it; what had not been sent never will be.
    CANCELED = "canceled"
    #: Must not go out; the reason is kept with it.
    HELD = "held"


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    #: Waits for its first attempt.
    QUEUED = "queued"
    #: In a worker's hands: about to be handed to the platform, or its answer is awaited.
    SENDING = "sending"
    #: Not accepted; waits for its next attempt.
    RETRYING = "retrying"
    #: Accepted by the platform; its reply is kept.
    SENT = "sent"
    #: Accepted, then returned by the recipient's mail system.
    BOUNCED = "bounced"
    #: Accepted, then reported as spam by the recipient.
    COMPLAINED = "complained"
    #: Refused for good, or out of time or attempts.
    FAILED = "failed"
    #: May or may not have been accepted; a policy or a person decides.
    UNKNOWN = "unknown"
    #: Ended before it was accepted: its address is suppressed, or its recipient has left.
    SKIPPED = "skipped"
    #: Ended before all of it was accepted, because its send was canceled or corrected.
    CANCELED = "canceled"


#: States that still need work; a send with none of them has ended.
OPEN_STATES = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.RETRYING)
#: Open states of deliveries that are in no worker's hands.
WAITING_STATES = (DeliveryState.QUEUED, DeliveryState.RETRYING)
