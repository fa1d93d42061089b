"""python-telegram-bot's client, as an account wants it."""

from __future__ import annotations

import logging
import os

# Otherwise python-telegram-bot warns about every 429: its waits become `timedelta` by this switch.
os.environ["PTB_TIMEDELTA"] = "true"

from telegram import Bot
from telegram.request import HTTPXRequest

from channels.telegram.account import TelegramAccount

#: A wait for a free connection this long, in seconds, means that more threads than
#: `connections` use the account.
_POOL_TIMEOUT = 10.0

# Both write the address of every call, which holds the token.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


def make_bot(account: TelegramAccount) -> Bot:
    """A client for `account`; nothing is opened before its first call."""
    request = HTTPXRequest(
        connection_pool_size=account.connections,
        read_timeout=account.read_timeout_seconds,
        write_timeout=account.read_timeout_seconds,
        connect_timeout=account.connect_timeout_seconds,
        pool_timeout=_POOL_TIMEOUT,
        proxy=account.proxy,
    )
    return Bot(
        account.token.get_secret_value(),
        base_url=account.base_url,
        request=request,
        get_updates_request=request,
    )
