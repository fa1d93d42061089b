"""The Telegram channel as the engine sees it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar, cast, get_args

from channels.base import Account, Connection, Edition, RateLimit, Rendering
from channels.telegram import address as addresses
from channels.telegram import rates
from channels.telegram.account import Style, TelegramAccount
from channels.telegram.subscriber import wishes

# The parser (TDLib, 50 MB) and the client (python-telegram-bot) are loaded by the methods that
# need them, so that naming the channel costs nothing.


class TelegramChannel:
    """Posts to channels, groups and chats through a bot."""

    name: ClassVar[str] = "telegram"
    account_type: ClassVar[type[Account]] = TelegramAccount
    variants: ClassVar[tuple[str, ...]] = get_args(Style)

    def parse_address(self, text: str) -> str:
        """A chat id or a user name in its canonical form. Raises `AddressError`."""
        return addresses.parse(text)

    def show_address(self, address: str) -> str:
        """The address itself: knowing it does not let anyone post there."""
        return address

    def check_attributes(self, attributes: Mapping[str, str]) -> None:
        """Raises `AddressError` for a topic, hours or zone that cannot be read."""
        wishes(attributes)

    def render(self, edition: Edition, account: Account, variant: str = "") -> Rendering:
        """The edition as `sendMessage` calls without `chat_id`. Raises `RenderError`."""
        from channels.telegram.render import render

        own = _own(account)
        return render(edition, own, cast(Style, variant) if variant else own.style)

    def rate_limits(self, account: Account, address: str) -> Sequence[RateLimit]:
        """The bot's bucket and the chat's."""
        return rates.rate_limits(_own(account), address)

    def connect(self, account: Account) -> Connection:
        """A connection; the network is first touched by its `deliver`."""
        from channels.telegram.connection import TelegramConnection

        return TelegramConnection(_own(account))

    def check(self, account: Account) -> str:
        """Ask the bot for its name. Raises `AccountUnreachable`."""
        from channels.telegram.connection import TelegramConnection

        connection = TelegramConnection(_own(account))
        try:
            return f"Telegram answered as {connection.who()}"
        finally:
            connection.close()

    def preview(self, edition: Edition, account: Account) -> Mapping[str, bytes]:
        """`telegram.json`: the Bot API calls in order."""
        from channels.telegram.render import PIN

        parts = self.render(edition, account).parts
        calls = [
            {"chat_id": "@preview", **{k: v for k, v in part.payload.items() if k != PIN}}
            for part in parts
        ]
        text = json.dumps(calls, ensure_ascii=False, indent=2)
        return {"telegram.json": f"{text}\n".encode()}


def _own(account: Account) -> TelegramAccount:
    if not isinstance(account, TelegramAccount):
        raise TypeError(f"account {account.name!r} is one of channel {account.channel!r}")
    return account
