"""The contract between the engine and a channel.

A channel turns an edition into parts and hands one part at a time to its platform. It knows the
digest model and this module, and nothing of Celery, SQL or the web. What only some channels can
do stands in `channels.optional`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from distributor.digest.model import Digest
from distributor.suppression import SuppressionReason
from distributor.templating import Templates

#: An account that was quiet may send a tenth of a second's worth at once, so that platforms which
#: count any second's messages never see more than they allow.
_BURST_SHARE = 10


class ChannelError(Exception):
    """Something a channel cannot do; the text says what, to what, and what to do about it."""


class AddressError(ChannelError):
    """The address cannot belong to this channel."""


class RenderError(ChannelError):
    """The edition cannot be put into a form that the platform accepts."""


class AccountUnreachable(ChannelError):
    """The platform did not answer, or refused the account's credentials."""


class Verdict(StrEnum):
    """What one attempt came to, in the words of delivery states."""

    #: The platform accepted the part and said so.
    SENT = "sent"
    #: Provably not accepted; another attempt may succeed.
    RETRYING = "retrying"
    #: Provably not accepted, and another attempt would be refused too.
    FAILED = "failed"
    #: It may or may not have been accepted; must never be resent silently.
    UNKNOWN = "unknown"


class Fault(StrEnum):
    """Whose fault an attempt's failure is, which decides who has to act."""

    #: This address: others are not affected.
    RECIPIENT = "recipient"
    #: Our message: every recipient of this rendering would be refused.
    CONTENT = "content"
    #: Our credentials, reputation or settings. With `RETRYING` the account cannot send at all
    #: until a person has put it right; with `FAILED` only this message was refused for it, and
    #: whoever `Outcome.stops` names would be too.
    ACCOUNT = "account"
    #: Where this address is, or the way from the platform to there: it will pass. The platform
    #: itself works, unless it says so for one destination after the other.
    DESTINATION = "destination"
    #: The platform or the way to it: it will pass.
    PROVIDER = "provider"


#: Code of a SENT outcome after which a person has to do something; its reply says what.
AWAITS_PERSON = "draft-ready"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the platform's reply to one part means."""

    verdict: Verdict
    #: Short and stable, to group by: `ok`, `smtp-550-5.1.1`, `tg-403-blocked`, `wecom-45009`.
    code: str
    #: The platform's own words with secrets removed, at most 500 characters.
    reply: str
    #: The platform's id of the accepted message, to correct, reply to or match a bounce.
    message_id: str | None = None
    #: None only when the verdict is SENT.
    fault: Fault | None = None
    #: Seconds that the platform asks to wait; the least delay before the next attempt.
    retry_after: float | None = None
    #: Set when the address must not be sent to again. Some reasons count only when they come
    #: again for other sends (see `distributor.ledger.strikes`).
    suppress: SuppressionReason | None = None
    #: The address that the recipient moved to; the next attempt uses it.
    moved_to: str | None = None
    #: Set when others would be refused for the same reason: what their addresses end with
    #: (`@example.net`). They wait on this account, until a person has put it right.
    stops: str | None = None
    #: With `Fault.DESTINATION`: what the addresses there end with (`@example.net`).
    destination: str | None = None


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who sends: named in headers and footers."""

    name: str
    postal_address: str = ""


@dataclass(frozen=True, slots=True)
class Edition:
    """A digest with everything around it that a rendering needs."""

    digest: Digest
    #: Where the edition can be read on the web.
    web_url: str
    publisher: Publisher
    templates: Templates
    #: The list that it goes to; empty when there are several or none.
    list_name: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One platform message of a rendering. `payload` is JSON and is kept in the ledger."""

    #: From 1.
    number: int
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rendering:
    """An edition in a channel's form, the same for every recipient of an account and variant."""

    parts: tuple[Part, ...]
    #: What an operator should know: shortened, left out, near a limit.
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom one delivery goes to."""

    address: str
    #: The same for every attempt of this delivery and for no other delivery: (send, revision,
    #: subscriber) in letters, digits and dashes.
    identity: str
    name: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    #: One-click unsubscribe address with its signed token; empty where there is none.
    unsubscribe_url: str = ""
    #: Brings what comes back to this delivery: lower-case letters, digits and dashes, signed.
    bounce_token: str = ""
    #: Message ids of this delivery's parts that the platform already accepted, in order.
    accepted: tuple[str, ...] = ()
    #: Message ids of the parts of the delivery before this one, for accounts that need them.
    previous: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A token bucket that all workers share."""

    #: Names the bucket; holds no secret.
    key: str
    #: Messages a second that the bucket fills up with.
    per_second: float
    #: Messages that may leave at once after a quiet time.
    burst: int
    #: Whether everybody on the account waits for this bucket, or only this recipient.
    is_account_wide: bool
    #: Whether the platform's "too many requests" closes this bucket for as long as it says.
    obeys_retry_after: bool = False


class Account(BaseModel):
    """Settings that every account has. A channel adds its own in a subclass.

    Fields of type `SecretStr` are taken from the environment or a file, never from the TOML.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    name: str
    channel: str
    #: What happens to a delivery whose fate is unknown: wait for a person, or send again.
    on_unknown: Literal["hold", "resend"] = "hold"
    #: First retry waits for half of this to all of it, in seconds; each next one twice as long.
    retry_base_seconds: float = Field(default=60, gt=0)
    #: No retry waits longer than this, in seconds.
    retry_cap_seconds: float = Field(default=3600, gt=0)
    #: Attempts at one part before the delivery has failed. With the other defaults more than fit
    #: into a send's deadline of 20 hours, so that the deadline is what ends it.
    max_attempts: int = Field(default=50, ge=1)
    #: Messages a second that all workers together send on this account; none: as fast as it goes.
    max_per_second: float | None = Field(default=None, gt=0)
    #: Connections that one worker process keeps open to the platform.
    connections: int = Field(default=4, ge=1, le=64)

    @property
    def address_prefix(self) -> str:
        """What the addresses that it serves begin with; empty: whatever no other account claims."""
        return ""

    @property
    def has_bot(self) -> bool:
        """Whether people can write to it, so that `distributor bot` should run for it."""
        return False

    @property
    def wants_bounce_token(self) -> bool:
        """Whether its recipients come with a `bounce_token`."""
        return False

    @property
    def needs_previous(self) -> bool:
        """Whether `Recipient.previous` has to be filled in."""
        return False


@runtime_checkable
class Connection(Protocol):
    """An open way to the platform, used by one thread at a time and for many deliveries."""

    def deliver(self, part: Part, recipient: Recipient) -> Outcome:
        """Hand `part` over for `recipient` and say what the reply means.

        Every platform or network error becomes an `Outcome`; an exception is a bug in the
        channel. Reconnects by itself when the connection was lost before.
        """

    def close(self) -> None:
        """Release what is open. Safe to call twice; a later `deliver` opens it anew."""


def account_limit(
    account: Account, *, burst: int | None = None, obeys_retry_after: bool = False
) -> tuple[RateLimit, ...]:
    """The bucket of `account.max_per_second`; empty when that is not set.

    `burst`: messages at once after a quiet time; by default a tenth of a second's worth.
    """
    if account.max_per_second is None:
        return ()
    return (
        RateLimit(
            f"account:{account.name}",
            account.max_per_second,
            burst=burst or max(1, round(account.max_per_second / _BURST_SHARE)),
            is_account_wide=True,
            obeys_retry_after=obeys_retry_after,
        ),
    )


class Channel(Protocol):
    """A kind of delivery. Each package below `channels/` offers one as `CHANNEL`."""

    #: Lower-case word used in the ledger, queue names and commands.
    name: ClassVar[str]
    #: The account settings of this channel, a subclass of `Account`.
    account_type: ClassVar[type[Account]]
    #: The forms that a subscriber may choose among; empty when there is one form alone.
    variants: ClassVar[tuple[str, ...]]

    def parse_address(self, text: str) -> str:
        """The address in its one canonical form. Raises `AddressError`."""

    def show_address(self, address: str) -> str:
        """The address as people may see it: the same, or with its secret part hidden."""

    def render(self, edition: Edition, account: Account, variant: str = "") -> Rendering:
        """The edition in this channel's form, checked with the platform's own rules.

        `variant` is one of `variants`, or empty for the account's own choice. Deterministic: the
        same edition gives the same parts. Raises `RenderError`.
        """

    def rate_limits(self, account: Account, address: str) -> Sequence[RateLimit]:
        """The buckets that a message to `address` is charged to, the account's own first."""

    def connect(self, account: Account) -> Connection:
        """A connection for `account`; may be lazy and must not raise for an absent platform."""

    def check(self, account: Account) -> str:
        """Reach the platform without sending anything; returns a sentence about what answered.

        Raises `AccountUnreachable` with what happened and what to do.
        """

    def preview(self, edition: Edition, account: Account) -> Mapping[str, bytes]:
        """What a subscriber would get, as files by name for a person or a checker to open."""
