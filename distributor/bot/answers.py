"""What the bot has to say, before it is said."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """A button that tells the bot `data` when it is pressed."""

    text: str
    #: At most 64 bytes.
    data: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A message of plain text with buttons in rows."""

    #: The chat that it goes to.
    address: str
    text: str
    buttons: tuple[tuple[Choice, ...], ...] = ()
    #: The message that it takes the place of; None: a new one.
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class LatestEdition:
    """The newest edition is to be sent to this subscriber once more."""

    subscriber_id: int
    rendering_id: int
    address: str


Reaction = Answer | LatestEdition
