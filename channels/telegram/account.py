"""Settings of one bot."""

from __future__ import annotations

import re

from pydantic import Field, SecretStr, field_validator

from channels.base import Account

_BASE_URL = re.compile(r"https?://[^/?#\s]+(/[^?#\s]*)?/bot")


class TelegramAccount(Account):
    """A bot that posts: the token that @BotFather gave it and the server that it talks to."""

    token: SecretStr
    #: What stands before the token in every call; another one for a local Bot API server.
    base_url: str = "https://api.telegram.org/bot"
    #: `http://`, `https://` address of a proxy, or None for a direct connection.
    proxy: str | None = None
    #: A post that was not answered for so long is `unknown`; shorter is not safer.
    read_timeout_seconds: float = Field(default=30, gt=0)
    connect_timeout_seconds: float = Field(default=10, gt=0)
    retry_base_seconds: float = Field(default=5, gt=0)
    #: Telegram allows about 30 a second; a tenth is kept for what else the bot says.
    max_per_second: float | None = Field(default=27, gt=0)

    @field_validator("token")
    @classmethod
    def _token_is_there(cls, token: SecretStr) -> SecretStr:
        if not token.get_secret_value().strip():
            raise ValueError("is empty: give the token that @BotFather sent for this bot")
        return SecretStr(token.get_secret_value().strip())

    @field_validator("base_url")
    @classmethod
    def _address_ends_before_the_token(cls, url: str) -> str:
        if not _BASE_URL.fullmatch(url):
            raise ValueError("wants an address that ends in /bot, where the token goes behind")
        return url

    @field_validator("proxy")
    @classmethod
    def _proxy_speaks_http(cls, proxy: str | None) -> str | None:
        if proxy and not proxy.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://; other proxies are not supported")
        return proxy or None
