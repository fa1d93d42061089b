"""A channel that accepts every message at once, so that only the engine is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from channels.base import (
    Account,
    Connection,
    Edition,
    Outcome,
    Part,
    RateLimit,
    Recipient,
    Rendering,
    Verdict,
)


class NullConnection:
    """Accepts what it is given and forgets it."""

    def deliver(self, part: Part, recipient: Recipient) -> Outcome:  # noqa: ARG002
        """Always sent."""
        return Outcome(Verdict.SENT, "ok", "accepted", message_id=recipient.identity)

    def close(self) -> None:
        """Nothing is open."""


class NullChannel:
    """Takes any address and renders one empty part."""

    name: ClassVar[str] = "null"
    account_type: ClassVar[type[Account]] = Account
    variants: ClassVar[tuple[str, ...]] = ()

    def parse_address(self, text: str) -> str:
        """Any text."""
        return text

    def show_address(self, address: str) -> str:
        """As it is."""
        return address

    def render(self, edition: Edition, account: Account, variant: str = "") -> Rendering:  # noqa: ARG002
        """One part that says the title."""
        return Rendering((Part(1, {"title": edition.digest.title}),))

    def rate_limits(self, account: Account, address: str) -> Sequence[RateLimit]:  # noqa: ARG002
        """None."""
        return ()

    def connect(self, account: Account) -> Connection:  # noqa: ARG002
        """A connection to nowhere."""
        return NullConnection()

    def check(self, account: Account) -> str:
        """Always well."""
        return f"{account.name} accepts everything"

    def preview(self, edition: Edition, account: Account) -> Mapping[str, bytes]:  # noqa: ARG002
        """Nothing to see."""
        return {}
