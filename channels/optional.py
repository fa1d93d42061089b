"""What only some channels can do; the engine and the faces ask with `isinstance`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from channels.base import Account, Connection, Edition, Outcome, Part, Recipient


@runtime_checkable
class AmendingConnection(Protocol):
    """A connection whose platform lets messages be changed after they were delivered.

    Both calls may be repeated without harm, so that a try without an answer is tried again.
    """

    def amend(self, part: Part, recipient: Recipient, message_id: str) -> Outcome:
        """Make an accepted message say what `part` says; SENT also when it said so already."""

    def withdraw(self, recipient: Recipient, message_id: str) -> Outcome:
        """Take an accepted message away; SENT also when it is gone already."""


@runtime_checkable
class GroupConnection(Connection, Protocol):
    """A connection that can hand a part over for many recipients in one call."""

    def deliver_together(self, part: Part, recipients: Sequence[Recipient]) -> Sequence[Outcome]:
        """Hand `part` over for all of them and say what it came to for each, in their order.

        As with `deliver`, every error becomes an `Outcome`. Recipients who were handed over
        together and have to wait come together again, so that the platform can know the call.
        """


class SharedStore(Protocol):
    """What all workers of all machines should know, such as an access token.

    It may forget anything at any moment, and forgets everything while Redis is away.
    """

    def get(self, key: str) -> str | None:
        """What was put there, unless it is too old."""

    def put(self, key: str, value: str, seconds: float) -> None:
        """Keep `value` for so long."""

    def lock(self, key: str, seconds: float) -> AbstractContextManager[object]:
        """Let one worker at a time into the block; each waits up to so long and then goes on."""


@runtime_checkable
class SharingConnection(Connection, Protocol):
    """A connection that shares something with those of other workers."""

    def share(self, store: SharedStore) -> None:
        """Use `store` from now on; called once, before the first delivery."""


@runtime_checkable
class ReadsAttributes(Protocol):
    """A channel to which some attributes of a subscriber mean something."""

    def check_attributes(self, attributes: Mapping[str, str]) -> None:
        """Raises `AddressError` saying which one cannot be read, and how to write it."""


@runtime_checkable
class PreviewsForReader(Protocol):
    """A channel whose messages may hold something of their reader's own."""

    def preview_for(
        self, edition: Edition, account: Account, name: str, attributes: Mapping[str, str]
    ) -> Mapping[str, bytes]:
        """As `Channel.preview`, for a subscriber with this name and these attributes."""


@runtime_checkable
class Explains(Protocol):
    """A channel that can say in words what its outcomes' codes mean."""

    def explain(self, code: str, language: str) -> str | None:
        """What the code means and what to do, in Chinese for `zh…`, else in English."""
