"""What can be set, table by table."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
)

from distributor.digest.verdict import HOLDING_CODES, WARNING_CODES, Policy

#: Characters of a key that signs links, at least.
SHORTEST_SECRET = 16
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")


class Section(BaseModel):
    """A table of the configuration file; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PublisherSettings(Section):
    """Who publishes: the names and the address that letters carry."""

    name: str = Field(default="AI 资讯速递", min_length=1)
    postal_address: str = ""


def _address(*schemes: str, example: str) -> AfterValidator:
    """Refuses what is no URL of these schemes; its text never repeats the password in it."""

    def check(secret: SecretStr) -> SecretStr:
        url = secret.get_secret_value()
        if url and not _is_url(url, schemes):
            raise ValueError(f"wants an address like {example}")
        return secret

    return AfterValidator(check)


def _is_url(url: str, schemes: Collection[str]) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for one that is no number
    except ValueError:
        return False
    return parts.scheme in schemes and url.startswith(f"{parts.scheme}://")


class DatabaseSettings(Section):
    """Where the ledger is."""

    #: Empty: SQLite in the storage folder. Secret because it may hold a password.
    url: Annotated[
        SecretStr,
        _address(
            "postgresql",
            "postgresql+psycopg",
            "sqlite",
            example="postgresql://user:password@host:5432/name or sqlite:////path/to/ledger.db",
        ),
    ] = SecretStr("")


class RedisSettings(Section):
    """Where Redis is."""

    #: Empty: an embedded server on a private socket. Secret because it may hold a password.
    url: Annotated[
        SecretStr, _address("redis", "rediss", example="redis://:password@host:6379/0")
    ] = SecretStr("")


class StorageSettings(Section):
    """Where the program keeps its files."""

    #: Folder for everything the program writes, relative to the working directory.
    var: Path = Path("var")
    #: Folder whose templates win over the shipped ones of the same path.
    templates: Path | None = None


def _long_enough(secret: SecretStr) -> SecretStr:
    if 0 < len(secret.get_secret_value()) < SHORTEST_SECRET:
        raise ValueError(f"wants at least {SHORTEST_SECRET} characters")
    return secret


def _web_address(url: str) -> str:
    if url and not (_is_url(url, ("http", "https")) and urlsplit(url).hostname):
        raise ValueError("wants an address like https://news.example.org")
    return url


class WebSettings(Section):
    """The web server, and the address that readers see."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    #: Address under which readers reach the web pages; empty: where `web` listens.
    public_url: Annotated[str, AfterValidator(_web_address)] = ""
    #: Signs unsubscribe links. Empty: a key made once in the storage folder.
    secret: Annotated[SecretStr, AfterValidator(_long_enough)] = SecretStr("")
    #: Whether /metrics is served; None: only where `host` is this machine alone.
    metrics: bool | None = None

    @property
    def serves_metrics(self) -> bool:
        """Whether /metrics answers."""
        return self.host in _THIS_MACHINE if self.metrics is None else self.metrics


class SendingSettings(Section):
    """How work is shared, taken up again and given up."""

    #: Deliveries that one worker claims at a time.
    batch_size: int = Field(default=50, ge=1, le=500)
    #: Threads of one worker process that deliver at the same time.
    lanes: int = Field(default=4, ge=1, le=64)
    #: How long a claimed batch stays with a worker that no longer renews it.
    lease_seconds: float = Field(default=60, ge=5, le=600)
    #: How often work that is due or finished, or was left by a lost worker, is looked for.
    sweep_seconds: float = Field(default=2, ge=0.2, le=60)
    #: What is left of a send after this long ends as failed with the code `expired`.
    deadline_hours: float = Field(default=20, gt=0)


def _codes(value: object) -> object:
    """Codes as a list, or in one line of the environment between commas."""
    return (
        [one.strip() for one in value.split(",") if one.strip()]
        if isinstance(value, str)
        else value
    )


def _known(codes: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := [code for code in codes if code not in (*HOLDING_CODES, *WARNING_CODES)]:
        raise ValueError(f"{unknown[0]!r} is no code; there are: {_all_codes()}")
    return codes


def _all_codes() -> str:
    return ", ".join((*HOLDING_CODES, *WARNING_CODES))


_Codes = Annotated[tuple[str, ...], BeforeValidator(_codes), AfterValidator(_known)]


class ReadingSettings(Section):
    """How editions are read."""

    #: Address of the site that relative links of an edition belong to; empty: they are dropped.
    base_url: Annotated[str, AfterValidator(_web_address)] = ""


class HoldingSettings(Section):
    """Which findings hold an edition; by default every one that can."""

    #: Codes of rules that are not looked at.
    off: _Codes = ()
    #: Codes of rules that warn instead of holding.
    warn: _Codes = ()
    #: An edition that no operator named is held when it is older.
    max_age_days: float = Field(default=3, gt=0)

    def policy(self) -> Policy:
        age = timedelta(days=self.max_age_days)
        return Policy(frozenset(self.off), frozenset(self.warn), age)


class LogSettings(Section):
    """Of the programs that keep running."""

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"
    #: Whether subscribers' addresses may stand in the log.
    addresses: bool = False


class RetentionSettings(Section):
    """How long what is old is kept."""

    #: Days that the delivery log of a send is kept after its end; 0: for ever.
    attempts_days: float = Field(default=0, ge=0)
    #: Days that the text of a letter to the bounce address is kept; 0: for ever.
    letters_days: float = Field(default=30, ge=0)


class SandboxSettings(Section):
    """Where the stand-ins for the platforms listen."""

    #: Whether `up` and `demo` start the stand-ins for the platforms.
    enabled: bool = True
    host: str = "127.0.0.1"
    smtp_port: int = Field(default=8026, ge=0, le=65535)
    http_port: int = Field(default=8025, ge=0, le=65535)
    #: Whether the Bot API refuses too many messages, as the real one does.
    limits: bool = True
