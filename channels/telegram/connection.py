"""The way to the Bot API: one event loop a process, one bot an account, any number of threads.

A loop for each message costs ten times the CPU of one that stays, and a bot that is used on two
loops breaks on the second.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

from telegram import Bot, Message

from channels.base import (
    AccountUnreachable,
    AddressError,
    Fault,
    Outcome,
    Part,
    Recipient,
    Verdict,
)
from channels.telegram import calls
from channels.telegram.account import TelegramAccount
from channels.telegram.client import make_bot
from channels.telegram.errors import ERRORS, outcome_of, says_nothing_to_do, without_token
from channels.telegram.render import PIN
from channels.telegram.subscriber import SilentHours, Wishes, wishes

_T = TypeVar("_T")

#: What an operator reads instead of the HTTP library's words, by the outcome's code.
_NO_ANSWER = {
    "tg-connect": "no connection",
    "tg-connect-timeout": "no connection in time",
    "tg-timeout": "no answer in time",
    "tg-connection-lost": "the connection broke",
}


class _Client:
    """A bot and the connections in use of it."""

    def __init__(self, account: TelegramAccount) -> None:
        self.users: set[int] = set()
        self.bot = make_bot(account)
        #: Telegram's id of the cover, once it was uploaded.
        self.cover_id = ""
        self._account = account

    def cover(self) -> bytes | str:
        """The account's cover: its bytes, or its id when Telegram has it already."""
        if self.cover_id or self._account.cover is None:
            return self.cover_id
        return self._account.cover.read_bytes()


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
        self.run(client.bot.request.shutdown())

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
        try:
            wished = wishes(recipient.attributes)
        except AddressError as error:
            return Outcome(Verdict.FAILED, "tg-attributes", str(error), fault=Fault.RECIPIENT)
        try:
            message = self._post(part, recipient, wished)
        except ERRORS as error:
            return outcome_of(error, self._token)
        except OSError as error:
            words = f"the cover {self._account.cover} cannot be read: {error.strerror}"
            return Outcome(Verdict.RETRYING, "tg-cover", words, fault=Fault.ACCOUNT)
        reply = f"message {message.message_id} in chat {message.chat_id}"
        if part.payload.get(PIN) and wished.pin is not False and message.chat.type != "private":
            reply += self._pin(message, recipient)
        return Outcome(Verdict.SENT, "ok", reply, message_id=str(message.message_id))

    def amend(self, part: Part, recipient: Recipient, message_id: str) -> Outcome:
        """Edit a message in place; readers hear nothing of it."""
        return self._change(
            lambda bot: calls.edit(bot, part, recipient, int(message_id)),
            "amended",
            f"message {message_id} edited",
        )

    def withdraw(self, recipient: Recipient, message_id: str) -> Outcome:
        """Delete a message, which Telegram allows for 48 hours."""
        return self._change(
            lambda bot: calls.delete(bot, recipient, int(message_id)),
            "withdrawn",
            f"message {message_id} deleted",
        )

    def _change(
        self, call: Callable[[Bot], Coroutine[Any, Any, None]], code: str, reply: str
    ) -> Outcome:
        try:
            self._run(call)
        except ERRORS as error:
            if says_nothing_to_do(error):
                return Outcome(Verdict.SENT, "unchanged", str(error))
            return outcome_of(error, self._token)
        return Outcome(Verdict.SENT, code, reply)

    def who(self) -> str:
        """The name and number of the bot. Raises `AccountUnreachable`."""
        try:
            user = self._run(lambda bot: bot.get_me())
        except ERRORS as error:
            raise AccountUnreachable(self._unreachable(error)) from None
        return f"@{user.username} (bot {user.id})"

    def close(self) -> None:
        """Release the bot; the last connection of an account closes its sockets."""
        _process.release(self._account, id(self))

    def _run(self, call: Callable[[Bot], Coroutine[Any, Any, _T]]) -> _T:
        client = _process.client(self._account, id(self))
        return _process.run(call(client.bot))

    def _post(self, part: Part, recipient: Recipient, wished: Wishes) -> Message:
        client = _process.client(self._account, id(self))
        photo = client.cover() if calls.is_photo(part) else b""
        message = _process.run(
            calls.send(
                client.bot,
                part,
                recipient,
                thread=wished.thread,
                is_silent=self._is_silent(wished),
                photo=photo,
            )
        )
        if message.photo:
            client.cover_id = message.photo[-1].file_id
        return message

    def _is_silent(self, wished: Wishes) -> bool:
        account = self._account
        hours = account.silent_hours if wished.silent_hours is None else wished.silent_hours
        silent = SilentHours.parse(hours, wished.time_zone or account.time_zone)
        return silent is not None and silent.cover(datetime.now(UTC))

    def _pin(self, last: Message, recipient: Recipient) -> str:
        """Pin the post's first message in place of the one before; the post stands in any case."""
        first = int(recipient.accepted[0]) if recipient.accepted else last.message_id
        before = int(recipient.previous[0]) if recipient.previous else None
        try:
            self._run(lambda bot: calls.pin(bot, last.chat_id, first, before))
        except ERRORS as error:
            return f"; not pinned: {without_token(str(error), self._token)}"
        return "; pinned"

    def _unreachable(self, error: Exception) -> str:
        where = f"account {self._account.name!r} at {self._account.base_url}"
        outcome = outcome_of(error, self._token)
        if outcome.fault is Fault.ACCOUNT:
            return f"Telegram refuses the token of {where}: ask @BotFather for the bot's token"
        words = _NO_ANSWER.get(outcome.code, outcome.reply)
        return f"Telegram did not answer {where}: {words}; check the network, proxy and base_url"
