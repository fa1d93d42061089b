"""The email channel as the engine sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import urlsplit

from channels.base import (
    Account,
    AccountUnreachable,
    Connection,
    Edition,
    RateLimit,
    Recipient,
    Rendering,
)
from channels.email import address as addresses
from channels.email import rates
from channels.email.account import EmailAccount
from channels.email.assemble import Assembler
from channels.email.commands import Stopped
from channels.email.connection import EmailConnection
from channels.email.dkim_keys import KeyProblem, SigningKey
from channels.email.personal import Marks, Personal
from channels.email.render import render
from channels.email.session import Session

_WITHOUT_KEYS = {"dkim_rsa_key": None, "dkim_ed25519_key": None}


class EmailChannel:
    """Renders an edition as one multipart message and delivers it over SMTP."""

    name: ClassVar[str] = "email"
    account_type: ClassVar[type[Account]] = EmailAccount
    variants: ClassVar[tuple[str, ...]] = ()

    def parse_address(self, text: str) -> str:
        """`text` in canonical form: domain in lower-case ASCII. Raises `AddressError`."""
        return addresses.parse_address(text)

    def show_address(self, address: str) -> str:
        """The address itself: nothing in it is secret from an operator."""
        return address

    def render(self, edition: Edition, account: Account, variant: str = "") -> Rendering:  # noqa: ARG002
        """One part with subject, HTML and text. Raises `RenderError`."""
        return render(edition)

    def rate_limits(self, account: Account, address: str) -> Sequence[RateLimit]:
        """The relay's bucket and that of the address's domain, where they are set."""
        return rates.rate_limits(_own(account), address)

    def connect(self, account: Account) -> Connection:
        """A connection that opens at the first delivery."""
        return EmailConnection(_own(account))

    def check(self, account: Account) -> str:
        """Connect, encrypt and sign in, then leave. Raises `AccountUnreachable`."""
        try:
            keys = _own(account).signing_keys()
            session = Session(_own(account))
        except KeyProblem as problem:
            raise AccountUnreachable(str(problem)) from None
        except Stopped as stop:
            raise AccountUnreachable(stop.outcome.reply) from None
        try:
            return f"{session.describe()}; {_signatures(keys)}"
        finally:
            session.close()

    def preview(self, edition: Edition, account: Account) -> Mapping[str, bytes]:
        """`email.eml`, `email.html` and `email.txt` as somebody of whom nothing is known gets them.

        Raises `RenderError`.
        """
        return self.preview_for(edition, account, "", {})

    def preview_for(
        self, edition: Edition, account: Account, name: str, attributes: Mapping[str, str]
    ) -> Mapping[str, bytes]:
        """As `preview`, for a reader with this name and these attributes."""
        payload = render(edition).parts[0].payload
        marks = Marks(payload["key"])
        reader = replace(_sample_reader(edition), name=name, attributes=attributes)
        date = edition.digest.date or datetime.now(UTC)
        try:
            assembler = Assembler(_own(account))
        except KeyProblem:
            # A person who looks at an edition need not have the keys; `check` tells of them.
            assembler = Assembler(_own(account).model_copy(update=_WITHOUT_KEYS))
        message = assembler.assemble(payload, reader, date)
        return {
            "email.eml": message.content,
            "email.html": Personal.of_html(payload["html"], marks).fill(reader).encode(),
            "email.txt": Personal.of_text(payload["text"], marks).fill(reader).encode(),
        }


def _signatures(keys: Sequence[SigningKey]) -> str:
    if not keys:
        return "mail is not signed here, so the relay must do it"
    return "mail is signed with " + " and ".join(f"{key.kind} ({key.selector})" for key in keys)


def _sample_reader(edition: Edition) -> Recipient:
    """Nobody, with an unsubscribe address on the host where the edition is read."""
    web = urlsplit(edition.web_url)
    return Recipient(
        address="reader@example.net",
        identity="preview",
        unsubscribe_url=f"{web.scheme}://{web.netloc}/unsubscribe/preview",
    )


def _own(account: Account) -> EmailAccount:
    if not isinstance(account, EmailAccount):
        raise TypeError(f"account {account.name} is for {account.channel}, not for email")
    return account
