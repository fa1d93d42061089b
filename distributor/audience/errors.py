"""What can go wrong with the audience; every text is one line and says what to do."""

from __future__ import annotations


class AudienceError(Exception):
    """Something about lists or subscribers that the person who asked has to change."""


class InvalidName(AudienceError):
    """The text cannot be the name of a list."""


class ListExists(AudienceError):
    """There is a list of this name already."""


class UnknownList(AudienceError):
    """There is no list of this name."""


class ListArchived(AudienceError):
    """The list was archived and takes neither sends nor subscribers."""


class InvalidSubscriber(AudienceError):
    """A channel, address, name, language or attribute that cannot be kept."""


class UnknownSubscriber(AudienceError):
    """Nobody has this address."""


class AmbiguousAddress(AudienceError):
    """Subscribers on several channels have this address."""


class UnreadableFile(AudienceError):
    """The file to import is not what it should be, so that no row of it can be read."""


class InvalidToken(AudienceError):
    """The unsubscribe token was not issued by this service, or was damaged on its way."""
