"""What can go wrong with a request; every text says what happened and what to do."""

from __future__ import annotations


class OperationError(Exception):
    """The request could not be carried out, and nothing of it was."""


class WrongRequest(OperationError):
    """The request itself makes no sense; asking again changes nothing."""
