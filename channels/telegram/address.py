"""Whom a bot can post to: a chat by its number or a public channel by its name."""

from __future__ import annotations

import re

from channels.base import AddressError

_NUMBER = re.compile(r"-?[1-9][0-9]{0,18}", re.ASCII)
# https://core.telegram.org/method/channels.checkUsername: 5 to 32 characters, begins with a
# letter; names sold on Fragment may have 4.
_USERNAME = re.compile(r"[a-z][a-z0-9_]{3,31}", re.ASCII | re.IGNORECASE)
_LINK = re.compile(r"(?:https?://)?(?:www\.)?(?:t|telegram)\.me/(?P<name>[^/?#]+)/?", re.IGNORECASE)


def parse(text: str) -> str:
    """The chat id as digits (`-1001234567890`) or the user name in lower case (`@name`).

    `https://t.me/name` is understood too. Raises `AddressError`.
    """
    address = text.strip()
    if _NUMBER.fullmatch(address):
        return address
    link = _LINK.fullmatch(address)
    name = link["name"] if link else address.removeprefix("@")
    if (link or address.startswith("@")) and _USERNAME.fullmatch(name):
        return f"@{name.lower()}"
    raise AddressError(
        f"{text!r} is not a Telegram chat: give its number, such as -1001234567890, or the name"
        " of a public channel, such as @daily_news"
    )
