"""Settings of one SMTP relay."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from channels.base import Account, AddressError
from channels.email.address import domain_of, parse_address


class Security(StrEnum):
    """How the connection to the relay is encrypted."""

    NONE = "none"
    #: Plain at first, then STARTTLS; refused when the relay does not offer it (usual port: 587).
    STARTTLS = "starttls"
    #: TLS from the first byte (usual port: 465).
    TLS = "tls"


def _checked_address(text: str) -> str:
    try:
        return parse_address(text) if text else ""
    except AddressError as error:
        raise ValueError(str(error)) from None


MaybeAddress = Annotated[str, AfterValidator(_checked_address)]


class EmailAccount(Account):
    """An SMTP relay and the sender that it knows us as."""

    channel: Literal["email"] = "email"
    host: str = Field(default="localhost", min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Security = Security.STARTTLS
    #: Turn off only for a relay with a certificate of its own making on a network you trust.
    verify_certificates: bool = True
    username: str = ""
    password: SecretStr | None = None
    #: What readers see in From.
    from_address: Annotated[MaybeAddress, Field(min_length=3)]
    #: Empty: the publisher's name.
    from_name: str = ""
    reply_to: MaybeAddress = ""
    #: Where bounces go (MAIL FROM). Empty: `from_address`.
    envelope_from: MaybeAddress = ""
    #: For connecting and for each reply, in seconds.
    timeout_seconds: float = Field(default=30, gt=0)
    #: Messages a second for a domain in lower case, such as `{"gmail.com" = 20}`.
    domain_max_per_second: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    #: A new connection is opened after so many messages: large mailbox providers close
    #: or slow down longer ones.
    messages_per_connection: int = Field(default=100, ge=1)

    @model_validator(mode="after")
    def _credentials_go_together(self) -> EmailAccount:
        if bool(self.username) != (self.password is not None):
            raise ValueError("username and password must be given together, or neither")
        password = self.password.get_secret_value() if self.password else ""
        if not (self.username + password).isascii():
            raise ValueError("username and password must be ASCII: SMTP AUTH carries no other")
        return self

    @property
    def envelope_sender(self) -> str:
        """The address in MAIL FROM."""
        return self.envelope_from or self.from_address

    @property
    def domain(self) -> str:
        """The domain of the From address; Message-IDs and List-Id are made with it."""
        return domain_of(self.from_address)

    @property
    def place(self) -> str:
        """`host:port`, for messages to people."""
        return f"{self.host}:{self.port}"
