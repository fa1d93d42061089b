"""Settings of one bot."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from channels.base import Account
from channels.telegram.subscriber import SilentHours

#: The forms of a post. `collapsed`: bodies fold to three lines; `full`: bodies in full;
#: `headlines`: linked headlines alone.
Style = Literal["collapsed", "full", "headlines"]

_LAST_PORT = 65_535
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
#: https://core.telegram.org/bots/api#sendphoto
_LARGEST_PHOTO = 10_000_000
_USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}", re.ASCII)

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
    #: Telegram allows about 30 a second.
    max_per_second: float | None = Field(default=29, gt=0)
    #: The form of a post for subscribers who chose none.
    style: Style = "collapsed"
    #: Whether a large preview of the web edition stands above the post.
    preview: bool = False
    #: A picture file that stands above the post with its title; None: no picture.
    cover: Path | None = None
    #: Whether buttons below the post lead to the web edition and to subscribing.
    buttons: bool = True
    #: The bot's user name, for links that open it; empty: no button for subscribing.
    username: str = ""
    #: Lists that people may join through the bot; new subscribers get the first one.
    open_lists: tuple[str, ...] = ()
    #: Telegram ids of the people whom the bot obeys as operators.
    operators: tuple[int, ...] = ()
    #: Where Telegram calls the bot with what people write; empty: the bot asks Telegram.
    webhook_url: str = ""
    #: Where the bot listens for these calls, behind a proxy with TLS.
    webhook_listen: str = "127.0.0.1:8081"
    #: Posts ring at no time of day within these hours, such as `22:00-08:00`; empty: always.
    silent_hours: str = ""
    #: The IANA time zone of `silent_hours`.
    time_zone: str = "Asia/Shanghai"
    #: Whether the post is pinned in groups and channels, and the one before it unpinned.
    pin: bool = False

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

    @field_validator("username")
    @classmethod
    def _username_is_one(cls, username: str) -> str:
        name = username.strip().removeprefix("@")
        if name and not _USERNAME.fullmatch(name):
            raise ValueError("is no user name of a bot: write it as in @daily_news_bot")
        return name

    @field_validator("webhook_listen")
    @classmethod
    def _place_has_a_port(cls, place: str) -> str:
        host, _, port = place.rpartition(":")
        if not host or not port.isdecimal() or int(port) > _LAST_PORT:
            raise ValueError("wants host and port, such as 127.0.0.1:8081")
        return place

    @field_validator("open_lists", "operators", mode="before")
    @classmethod
    def _words_are_a_list(cls, value: object) -> object:
        """In the environment they stand with commas between them."""
        if isinstance(value, str):
            return tuple(word.strip() for word in value.split(",") if word.strip())
        return value

    @field_validator("cover")
    @classmethod
    def _cover_is_a_picture(cls, cover: Path | None) -> Path | None:
        if cover is None:
            return None
        try:
            with cover.open("rb") as file:
                begin = file.read(len(_PNG))
        except OSError as error:
            raise ValueError(f"cannot be read: {error.strerror}") from None
        if not begin.startswith((_PNG, _JPEG)) or cover.stat().st_size > _LARGEST_PHOTO:
            raise ValueError("wants a PNG or JPEG file of at most 10 MB")
        return cover

    @field_validator("silent_hours")
    @classmethod
    def _hours_can_be_read(cls, hours: str) -> str:
        SilentHours.parse(hours, "UTC")
        return hours

    @field_validator("time_zone")
    @classmethod
    def _zone_is_known(cls, zone: str) -> str:
        SilentHours.parse("", zone)
        return zone

    @property
    def has_bot(self) -> bool:
        """Somebody may join a list or steer."""
        return bool(self.open_lists or self.operators)

    @property
    def needs_previous(self) -> bool:
        """The post before has to be unpinned."""
        return self.pin
