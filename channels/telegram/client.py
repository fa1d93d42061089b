"""python-telegram-bot's client, as an account wants it."""

from __future__ import annotations

import os

# Otherwise python-telegram-bot warns about every 429: its waits become `timedelta` by this switch.
os.environ["PTB_TIMEDELTA"] = "true"

from telegram import Bot

from channels.telegram.account import TelegramAccount
from channels.telegram.request import AiohttpRequest


def make_bot(account: TelegramAccount) -> Bot:
    """A client for `account`; nothing is opened before its first call."""
    return Bot(
        account.token.get_secret_value(),
        base_url=account.base_url,
        request=AiohttpRequest(account),
        # A poll that waits must not keep others from a connection.
        get_updates_request=AiohttpRequest(account),
    )
