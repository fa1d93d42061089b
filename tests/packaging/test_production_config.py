"""The example of a production set-up is valid as it stands and leaves no setting unexplained."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from channels import registry
from channels.base import Account
from distributor import settings
from distributor.settings import Settings, SettingsError
from distributor.settings.sources import SOURCE_KINDS
from tests.packaging.checkout import ROOT

EXAMPLE = ROOT / "config" / "production.example.toml"

SECRETS = {
    "DISTRIBUTOR_DATABASE_URL": "postgresql+psycopg://distributor:pw@postgres.example.com/digests",
    "DISTRIBUTOR_REDIS_URL": "redis://redis.example.com:6379/0",
    "DISTRIBUTOR_WEB_SECRET": "a secret of thirty-two characters",
    "DISTRIBUTOR_ACCOUNTS_RELAY_PASSWORD": "a password",
    "DISTRIBUTOR_ACCOUNTS_BOT_TOKEN": "123456:token-of-a-bot",
}


def setting_keys() -> Iterator[tuple[str, str]]:
    """Section, or channel, and key of everything that can be set."""
    for section, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from ((section, key) for key in model.model_fields)
    for channel in registry.names():
        account: type[Account] = registry.get(channel).account_type
        yield from ((channel, key) for key in account.model_fields if key != "name")


def test_it_is_valid_with_its_secrets_in_the_environment() -> None:
    loaded = settings.load(EXAMPLE, SECRETS)
    assert {account.channel for account in loaded.accounts.values()} == set(registry.names())


def test_it_is_valid_with_its_secrets_in_files(tmp_path: Path) -> None:
    environ = {}
    for variable, secret in SECRETS.items():
        file = tmp_path / variable
        file.write_text(f"{secret}\n")
        environ[f"{variable}_FILE"] = str(file)

    assert settings.load(EXAMPLE, environ) == settings.load(EXAMPLE, SECRETS)


def test_it_uses_nothing_embedded() -> None:
    loaded = settings.load(EXAMPLE, SECRETS)
    assert not loaded.is_embedded_ledger
    assert not loaded.is_embedded_redis
    assert not loaded.sandbox.enabled


def test_it_says_which_secret_is_missing() -> None:
    environ = {name: value for name, value in SECRETS.items() if not name.endswith("_TOKEN")}
    with pytest.raises(SettingsError, match="DISTRIBUTOR_ACCOUNTS_BOT_TOKEN"):
        settings.load(EXAMPLE, environ)


def explanation(section: str) -> str:
    """The paragraphs of the file about a section, or about the account of a channel."""
    paragraphs = EXAMPLE.read_text(encoding="utf-8").split("\n\n")
    about = rf"^\[{section}\]$|^(?:# )?channel = \"{section}\"$|^# One table for each account"
    found = [text for text in paragraphs if re.search(about, text, re.MULTILINE)]
    return "\n".join(found if section in registry.names() else found[:1])


@pytest.mark.parametrize(("section", "key"), list(setting_keys()))
def test_it_explains_every_setting(section: str, key: str) -> None:
    text = explanation(section)
    as_variable = f"_{key}".upper()
    assert re.search(rf"\b{key}\b", text) or as_variable in text


SOURCE_KEYS = [
    (kind, key) for kind, one in sorted(SOURCE_KINDS.items()) for key in one.model_fields
]


def sources_text() -> str:
    text = EXAMPLE.read_text(encoding="utf-8")
    return text[
        text.index("# Where editions come from") : text.index("# One table for each account")
    ]


@pytest.mark.parametrize(("kind", "key"), SOURCE_KEYS)
def test_it_explains_every_setting_of_a_source(kind: str, key: str) -> None:
    shared = sources_text().partition("[[sources]]")[0]
    own = sources_text()[sources_text().index(f'kind = "{kind}"') :].partition("[[sources]]")[0]
    assert re.search(rf"^# +{key} ", shared + own, re.MULTILINE)


def test_its_examples_of_sources_are_valid(tmp_path: Path) -> None:
    lines = re.findall(r"^# (\[\[sources\]\]|\w+ = \"[^\"]+\")", sources_text(), re.MULTILINE)
    config = tmp_path / "distributor.toml"
    config.write_text("\n".join(lines))

    assert [one.name for one in settings.load(config, {}).sources] == ["blog", "repository", "feed"]


def test_every_secret_variable_stands_in_it() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert [variable for variable in SECRETS if variable not in text] == []
