"""What can be set: one class a section, checked before anything runs."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection
from contextlib import suppress
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
    SerializeAsAny,
)

from channels.base import Account, Publisher
from distributor.digest.verdict import HOLDING_CODES, WARNING_CODES, Policy
from distributor.settings.sources import SourceSettings
from distributor.templating import Templates

_SHORTEST_SECRET = 16
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")


class SettingsError(Exception):
    """Settings that cannot be used: one line a problem, naming key, value and what is wanted."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PublisherSettings(_Section):
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


class DatabaseSettings(_Section):
    """Where the ledger is."""

    #: Empty: SQLite in the storage folder. Secret since it may hold a password.
    url: Annotated[
        SecretStr,
        _address(
            "postgresql",
            "postgresql+psycopg",
            "sqlite",
            example="postgresql://user:password@host:5432/name or sqlite:////path/to/ledger.db",
        ),
    ] = SecretStr("")


class RedisSettings(_Section):
    """Where Redis is."""

    #: Empty: an embedded server on a private socket. Secret since it may hold a password.
    url: Annotated[
        SecretStr, _address("redis", "rediss", example="redis://:password@host:6379/0")
    ] = SecretStr("")


class StorageSettings(_Section):
    """Where the program keeps its files."""

    #: Folder for everything the program writes, relative to the working directory.
    var: Path = Path("var")
    #: Folder whose templates win over the shipped ones of the same path.
    templates: Path | None = None


def _long_enough(secret: SecretStr) -> SecretStr:
    if 0 < len(secret.get_secret_value()) < _SHORTEST_SECRET:
        raise ValueError(f"wants at least {_SHORTEST_SECRET} characters")
    return secret


def _web_address(url: str) -> str:
    if url and not (_is_url(url, ("http", "https")) and urlsplit(url).hostname):
        raise ValueError("wants an address like https://news.example.org")
    return url


class WebSettings(_Section):
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


class SendingSettings(_Section):
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


class ReadingSettings(_Section):
    """How editions are read."""

    #: Address of the site that relative links of an edition belong to; empty: they are dropped.
    base_url: Annotated[str, AfterValidator(_web_address)] = ""


class HoldingSettings(_Section):
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


class LogSettings(_Section):
    """Of the programs that keep running."""

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"
    #: Whether subscribers' addresses may stand in the log.
    addresses: bool = False


class RetentionSettings(_Section):
    """How long what is old is kept."""

    #: Days that the delivery log of a send is kept after its end; 0: for ever.
    attempts_days: float = Field(default=0, ge=0)
    #: Days that the text of a letter to the bounce address is kept; 0: for ever.
    letters_days: float = Field(default=30, ge=0)


class SandboxSettings(_Section):
    """Where the stand-ins for the platforms listen."""

    #: Whether `up` and `demo` start the stand-ins for the platforms.
    enabled: bool = True
    host: str = "127.0.0.1"
    smtp_port: int = Field(default=8026, ge=0, le=65535)
    http_port: int = Field(default=8025, ge=0, le=65535)
    #: Whether the Bot API refuses too many messages, as the real one does.
    limits: bool = True


class Settings(_Section):
    """Everything that can be set. Built by `load`, never changed afterwards."""

    publisher: PublisherSettings = PublisherSettings()
    database: DatabaseSettings = DatabaseSettings()
    redis: RedisSettings = RedisSettings()
    storage: StorageSettings = StorageSettings()
    web: WebSettings = WebSettings()
    reading: ReadingSettings = ReadingSettings()
    holding: HoldingSettings = HoldingSettings()
    sending: SendingSettings = SendingSettings()
    log: LogSettings = LogSettings()
    retention: RetentionSettings = RetentionSettings()
    sandbox: SandboxSettings = SandboxSettings()
    accounts: dict[str, SerializeAsAny[Account]] = Field(default_factory=dict)
    #: Where editions come from, in the order of the configuration.
    sources: tuple[SerializeAsAny[SourceSettings], ...] = ()

    @property
    def var(self) -> Path:
        """The folder for everything that the program writes."""
        return self.storage.var.absolute()

    @property
    def is_embedded_ledger(self) -> bool:
        return not self.database.url.get_secret_value()

    @property
    def is_embedded_redis(self) -> bool:
        """Whether the program runs Redis itself."""
        return not self.redis.url.get_secret_value()

    @property
    def ledger_url(self) -> str:
        """The ledger's database as SQLAlchemy takes it."""
        return self.database.url.get_secret_value() or f"sqlite:///{self.var / 'ledger.db'}"

    @property
    def public_url(self) -> str:
        """Where readers reach the web pages, with no slash at the end."""
        return self.web.public_url.rstrip("/") or f"http://{self.web.host}:{self.web.port}"

    def accounts_of(self, channel: str) -> tuple[Account, ...]:
        """The accounts on `channel` in the order of the configuration.

        An address goes to the first one whose prefix it has. Those that claim a prefix come
        first, so that the others get what is left.
        """
        found = [account for account in self.accounts.values() if account.channel == channel]
        return tuple(sorted(found, key=lambda account: not account.address_prefix))

    def account_for(self, channel: str, address: str) -> Account | None:
        """The account on `channel` that `address` leads to."""
        fitting = (a for a in self.accounts_of(channel) if address.startswith(a.address_prefix))
        return next(fitting, None)

    def account_named(self, name: str, channel: str) -> Account:
        """The account `name`, which must be one of `channel`. Raises `SettingsError`."""
        found = self.accounts.get(name)
        if found is None or found.channel != channel:
            known = ", ".join(account.name for account in self.accounts_of(channel)) or "none"
            raise SettingsError(
                f"no account {name!r} is configured for {channel}; there are: {known}"
            )
        return found

    def publisher_card(self) -> Publisher:
        return Publisher(self.publisher.name, self.publisher.postal_address)

    def template_source(self) -> Templates:
        return Templates(self.storage.templates)

    def signing_secret(self) -> str:
        """The key that signs links; made and kept in the storage folder when none is set.

        Raises `SettingsError` when it cannot be kept there.
        """
        configured = self.web.secret.get_secret_value()
        try:
            return configured or _kept_secret(self.var / "signing.key")
        except OSError as error:
            raise SettingsError(
                f"storage.var: {self.var} cannot be used: {error.strerror}; name a folder that "
                "this program may write to (DISTRIBUTOR_STORAGE_VAR)"
            ) from error


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(32), encoding="ascii")
        # Linking fails when another process was first: then both use that one's key.
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    secret = path.read_text(encoding="ascii", errors="replace").strip()
    if len(secret) < _SHORTEST_SECRET:
        raise SettingsError(
            f"{path} holds no key of {_SHORTEST_SECRET} characters or more, so that unsubscribe "
            "links could be forged: bring it back from a copy, or remove the file to have a new "
            "key made (links in editions already sent stop working)"
        )
    return secret
