"""Why an address must not be sent to, in the words that the ledger and people see."""

from __future__ import annotations

from enum import StrEnum


class SuppressionReason(StrEnum):
    """The reasons that this program finds or records itself."""

    #: The address does not exist any more.
    ADDRESS_DEAD = "address-dead"
    #: Counts only when it comes again (see `distributor.ledger.strikes`), as the next one.
    MAILBOX_FULL = "mailbox-full"
    #: Refused for good in words or a code that do not tell why.
    REFUSED_REPEATEDLY = "refused-repeatedly"
    #: The reader has blocked the bot.
    BLOCKED = "blocked"
    CHAT_NOT_FOUND = "chat-not-found"
    ROBOT_REMOVED = "robot-removed"
    #: The reader reported a message as spam.
    COMPLAINT = "complaint"
    #: Somebody decided it.
    OPERATOR = "operator"
