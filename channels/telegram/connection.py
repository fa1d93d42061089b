"""The way to the Bot API: one event loop a process, one bot an account, any number of threads.

A loop for each message costs ten times the CPU of one that stays, and a bot that is used on two
loops breaks on the second.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

# Otherwise python-telegram-bot warns about every 429: its waits become `timedelta` by this switch.
os.environ["PTB_TIMEDELTA"] = "true"

from telegram import Bot, LinkPreviewOptions, Message, ReplyParameters
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from channels.base import AccountUnreachable, Fault, Outcome, Part, Recipient, Verdict
from channels.telegram.account import TelegramAccount
from channels.telegram.errors import outcome_of

_T = TypeVar("_T")

#: A wait for a free connection this long, in seconds, means that more threads than
#: `connections` use the account.
_POOL_TIMEOUT = 10.0
#: What an operator reads instead of the HTTP library's words, by the outcome's code.
_NO_ANSWER = {
    "tg-connect": "no connection",
    "tg-connect-timeout": "no connection in time",
    "tg-timeout": "no answer in time",
    "tg-connection-lost": "the connection broke",
}

#: A reply with status 200 that is none of Telegram's fails anywhere in python-telegram-bot, which
#: checks no types.
_ERRORS = (
    TelegramError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)

# Both write the address of every call, which holds the token.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class _Client:
    """A bot and the connections in use of it."""

    def __init__(self, account: TelegramAccount) -> None:
        self.users: set[int] = set()
        self.request = HTTPXRequest(
            connection_pool_size=account.connections,
            read_timeout=account.read_timeout_seconds,
            write_timeout=account.read_timeout_seconds,
            connect_timeout=account.connect_timeout_seconds,
            pool_timeout=_POOL_TIMEOUT,
            proxy=account.proxy,
        )
        self.bot = Bot(
            account.token.get_secret_value(),
            base_url=account.base_url,
            request=self.request,
            get_updates_request=self.request,
        )


class _Process:
    """The loop and the clients of this process, made when first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._clients: dict[TelegramAccount, _Client] = {}

    def client(self, account: TelegramAccount, user: int) -> _Client:
        """The client of `account`, in use by `user` from now on."""
        with self._lock:
            client = self._clients.get(account)
            if client is None:
                client = self._clients[account] = _Client(account)
            client.users.add(user)
            return client

    def release(self, account: TelegramAccount, user: int) -> None:
        """Close the client of `account` unless others than `user` have it in use."""
        with self._lock:
            client = self._clients.get(account)
            if client is None or user not in client.users:
                return
            client.users.remove(user)
            if client.users:
                return
            del self._clients[account]
        self.run(client.request.shutdown())

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Do `work` on the loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._started_loop()).result()

    def _started_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=self._loop.run_forever, name="telegram", daemon=True
                ).start()
            return self._loop


_process = _Process()


def _forget() -> None:
    """A forked child has no copy of its parent's threads: it starts with nothing."""
    global _process  # noqa: PLW0603
    _process = _Process()


os.register_at_fork(after_in_child=_forget)


class TelegramConnection:
    """Delivers parts for one account; connections of the same account share a bot."""

    def __init__(self, account: TelegramAccount) -> None:
        self._account = account
        self._token = account.token.get_secret_value()

    def deliver(self, part: Part, recipient: Recipient) -> Outcome:
        """Post `part` to the chat, as a reply to the part before it."""
        client = _process.client(self._account, id(self))
        try:
            message = _process.run(_send(client.bot, part, recipient))
        except _ERRORS as error:
            return outcome_of(error, self._token)
        return Outcome(
            verdict=Verdict.SENT,
            code="ok",
            reply=f"message {message.message_id} in chat {message.chat_id}",
            message_id=str(message.message_id),
        )

    def who(self) -> str:
        """The name and number of the bot. Raises `AccountUnreachable`."""
        client = _process.client(self._account, id(self))
        try:
            user = _process.run(client.bot.get_me())
        except _ERRORS as error:
            raise AccountUnreachable(self._unreachable(error)) from None
        return f"@{user.username} (bot {user.id})"

    def close(self) -> None:
        """Release the bot; the last connection of an account closes its sockets."""
        _process.release(self._account, id(self))

    def _unreachable(self, error: Exception) -> str:
        where = f"account {self._account.name!r} at {self._account.base_url}"
        outcome = outcome_of(error, self._token)
        if outcome.fault is Fault.ACCOUNT:
            return f"Telegram refuses the token of {where}: ask @BotFather for the bot's token"
        words = _NO_ANSWER.get(outcome.code, outcome.reply)
        return f"Telegram did not answer {where}: {words}; check the network, proxy and base_url"


async def _send(bot: Bot, part: Part, recipient: Recipient) -> Message:
    payload = part.payload
    previous = recipient.accepted[-1] if recipient.accepted else None
    return await bot.send_message(
        chat_id=recipient.address,
        text=payload["text"],
        parse_mode=payload["parse_mode"],
        link_preview_options=LinkPreviewOptions(**payload["link_preview_options"]),
        disable_notification=payload.get("disable_notification"),
        reply_parameters=(
            ReplyParameters(int(previous), allow_sending_without_reply=True) if previous else None
        ),
    )
