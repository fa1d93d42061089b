"""Settings of one SMTP relay."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, TypeAdapter, ValidationError, model_validator

from channels.base import Account, AddressError
from channels.email.address import MAX_LOCAL, ascii_domain, domain_of, parse_address
from channels.email.dkim_keys import KeyKind, KeyProblem, SigningKey, load_key


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


def _by_domain(rates: dict[str, float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, per_second in rates.items():
        try:
            domain = ascii_domain(name)
        except ValueError as error:
            raise ValueError(
                f"{name!r} cannot be the domain of an address: {error}; "
                'write it like "gmail.com", without the @'
            ) from None
        if domain in found:
            raise ValueError(f"{domain} has two rates; {name!r} is the same domain")
        found[domain] = per_second
    return found


_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#: One or more labels of a host name (RFC 6376, section 3.1), or nothing.
Selector = Annotated[str, Field(pattern=rf"^({_LABEL}(\.{_LABEL})*)?$")]
MaybeAddress = Annotated[str, AfterValidator(_checked_address)]


def is_selector(text: str) -> bool:
    """Whether an account may have `text` as a selector."""
    try:
        TypeAdapter(Selector).validate_python(text)
    except ValidationError:
        return False
    return True


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
    #: Whether bounces go to `local+TOKEN@domain` of `envelope_from`, where the token tells which
    #: delivery came back. Without `envelope_from` they do not: a relay may insist on the address.
    verp: bool = True
    #: Where bounces can be fetched: `imaps://user@host/INBOX`, also imap, pop3s and pop3; and the
    #: password for it. Empty: they are taken in another way (see `distributor bounces`).
    bounce_mailbox: str = ""
    bounce_password: SecretStr | None = None
    #: For connecting and for each reply, in seconds.
    timeout_seconds: float = Field(default=30, gt=0)
    #: For the reply to the whole message, in seconds: relays look at its content before they
    #: answer, and without the answer its fate is unknown (RFC 5321, section 4.5.3.2.6: 600).
    final_timeout_seconds: float = Field(default=300, gt=0)
    #: Messages a second for a domain, such as `{"gmail.com" = 20}`; kept in canonical form.
    domain_max_per_second: Annotated[
        dict[str, Annotated[float, Field(gt=0)]], AfterValidator(_by_domain)
    ] = Field(default_factory=dict)
    #: A new connection is opened after so many messages: large mailbox providers close
    #: or slow down longer ones.
    messages_per_connection: int = Field(default=100, ge=1)
    #: The `d=` of signatures: the domain of `from_address`, or one above it. Empty: that domain.
    dkim_domain: str = ""
    #: Name of the RSA key in DNS, and the key itself as PEM. A message gets a signature of each
    #: key there is.
    dkim_rsa_selector: Selector = ""
    dkim_rsa_key: SecretStr | None = None
    dkim_ed25519_selector: Selector = ""
    dkim_ed25519_key: SecretStr | None = None

    @model_validator(mode="after")
    def _credentials_go_together(self) -> EmailAccount:
        if bool(self.username) != (self.password is not None):
            raise ValueError("username and password must be given together, or neither")
        password = self.password.get_secret_value() if self.password else ""
        if not (self.username + password).isascii():
            raise ValueError("username and password must be ASCII: SMTP AUTH carries no other")
        return self

    @model_validator(mode="after")
    def _mailbox_has_a_password(self) -> EmailAccount:
        if bool(self.bounce_mailbox) != (self.bounce_password is not None):
            raise ValueError("bounce_mailbox and bounce_password must be given together")
        return self

    @model_validator(mode="after")
    def _signs_for_its_own_domain(self) -> EmailAccount:
        for kind in KeyKind:
            selector = getattr(self, f"dkim_{kind}_selector")
            if bool(selector) != (getattr(self, f"dkim_{kind}_key") is not None):
                raise ValueError(
                    f"dkim_{kind}_selector and dkim_{kind}_key must be given together, or neither"
                )
        if not f".{self.domain}".endswith(f".{self.signing_domain}"):
            raise ValueError(
                f"dkim_domain must be {self.domain} or a domain above it: DMARC counts no other"
            )
        return self

    def signing_keys(self) -> tuple[SigningKey, ...]:
        """The DKIM keys, RSA first. Raises `KeyProblem` for one that cannot sign."""
        keys = (
            (KeyKind.RSA, self.dkim_rsa_selector, self.dkim_rsa_key),
            (KeyKind.ED25519, self.dkim_ed25519_selector, self.dkim_ed25519_key),
        )
        found = []
        for kind, selector, pem in keys:
            if pem is None:
                continue
            key = load_key(selector, pem.get_secret_value())
            if key.kind is not kind:
                raise KeyProblem(f"dkim_{kind}_key of account {self.name} is of kind {key.kind}")
            found.append(key)
        return tuple(found)

    @property
    def wants_bounce_token(self) -> bool:
        """With `envelope_from`, each message comes back to an address of its own."""
        return self.verp and bool(self.envelope_from)

    @property
    def signing_domain(self) -> str:
        """The `d=` of signatures."""
        return self.dkim_domain.lower() or self.domain

    def envelope_sender(self, bounce_token: str) -> str:
        """The address in MAIL FROM of the delivery that `bounce_token` stands for.

        As it is without a token, or when the local part would grow over 64 octets.
        """
        sender = self.envelope_from or self.from_address
        if not (self.verp and self.envelope_from and bounce_token):
            return sender
        local, _, domain = sender.rpartition("@")
        variable = f"{local}+{bounce_token}"
        return f"{variable}@{domain}" if len(variable.encode()) <= MAX_LOCAL else sender

    @property
    def domain(self) -> str:
        """The domain of the From address; Message-IDs and List-Id are made with it."""
        return domain_of(self.from_address)

    @property
    def place(self) -> str:
        """`host:port`, for messages to people."""
        return f"{self.host}:{self.port}"
