"""All that can be set, as one value, checked before anything runs."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from pydantic import (
    Field,
    SerializeAsAny,
)

from channels.base import Account, Publisher
from distributor.settings.errors import SettingsError
from distributor.settings.sections import (
    SHORTEST_SECRET,
    DatabaseSettings,
    HoldingSettings,
    LogSettings,
    PublisherSettings,
    ReadingSettings,
    RedisSettings,
    RetentionSettings,
    SandboxSettings,
    Section,
    SendingSettings,
    StorageSettings,
    WebSettings,
)
from distributor.settings.sources import SourceSettings
from distributor.templating import Templates


class Settings(Section):
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
    if len(secret) < SHORTEST_SECRET:
        raise SettingsError(
            f"{path} holds no key of {SHORTEST_SECRET} characters or more, so that unsubscribe "
            "links could be forged: bring it back from a copy, or remove the file to have a new "
            "key made (links in editions already sent stop working)"
        )
    return secret
