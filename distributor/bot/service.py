"""The bot as a program: it asks Telegram for updates, or lets Telegram call."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable
from contextlib import suppress

from telegram import BotCommand, ChatMember, Update
from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from channels.telegram.account import TelegramAccount
from channels.telegram.client import make_bot
from channels.telegram.errors import without_token
from distributor.bot import webhook
from distributor.bot.dialogue import Dialogue
from distributor.bot.heard import Admitted, Command, Heard, Moved, Pressed, understand
from distributor.bot.speaking import Speaker
from distributor.engine.context import Context, Hints
from distributor.operations.errors import OperationError

_log = logging.getLogger(__name__)

_WANTED = ["message", "callback_query", "my_chat_member"]
#: Telegram answers a poll after this long when nothing happened, in seconds.
_POLL_SECONDS = 25
_PAUSE_SECONDS = 3.0
#: Between two looks for drafts to ask about.
_DRAFTS_SECONDS = 2.0
_ADMINS = (ChatMember.ADMINISTRATOR, ChatMember.OWNER)
_COMMANDS = {
    "zh": (
        ("latest", "看最新一期"),
        ("settings", "列表、样式、语言"),
        ("stop", "退订"),
        ("help", "帮助"),
    ),
    "": (
        ("latest", "The newest edition"),
        ("settings", "Lists, style, language"),
        ("stop", "Unsubscribe"),
        ("help", "Help"),
    ),
}


def run(context: Context, hints: Hints, account: TelegramAccount) -> None:
    """Serve until SIGTERM or SIGINT. Raises `OperationError` when the bot cannot start."""
    asyncio.run(_until_signal(BotService(context, hints, account)))


async def _until_signal(service: BotService) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await service.serve(stop)


class BotService:
    """One bot and its conversations."""

    def __init__(self, context: Context, hints: Hints, account: TelegramAccount) -> None:
        self._account = account
        self._context = context
        self._dialogue = Dialogue(context, hints, account)
        self._bot = make_bot(account)
        self._speaker = Speaker(context, account, self._bot)

    async def serve(self, stop: asyncio.Event) -> None:
        """Listen until `stop` is set. Raises `OperationError` when the bot cannot start."""
        try:
            async with self._bot:
                for language, commands in _COMMANDS.items():
                    await self._bot.set_my_commands(
                        [BotCommand(*one) for one in commands], language_code=language or None
                    )
                listen = self._webhook if self._account.webhook_url else self._poll
                asking = asyncio.create_task(self._ask_about_drafts(stop))
                try:
                    await listen(stop)
                finally:
                    stop.set()
                    await asking
        except InvalidToken as error:
            raise OperationError(
                f"Telegram refuses the token of account {self._account.name!r}: "
                "ask @BotFather for the bot's token"
            ) from error
        except TelegramError as error:
            raise OperationError(
                f"Telegram did not answer account {self._account.name!r} at "
                f"{self._account.base_url}: {self._words(error)}"
            ) from error

    async def hear(self, update: Update) -> None:
        """Answer one update; what goes wrong with it concerns no other."""
        heard = understand(update, self._bot.username)
        if heard is None:
            return
        try:
            if isinstance(heard, Pressed):
                with suppress(TelegramError):
                    await self._bot.answer_callback_query(heard.query_id)
            may_decide = await self._may_decide(heard)
            reactions = await asyncio.to_thread(self._dialogue.answer, heard, may_decide=may_decide)
            for reaction in reactions:
                await self._speaker.say(reaction)
        except TelegramError as error:
            _log.warning("an update was not answered: %s", self._words(error))
        except Exception:  # noqa: BLE001
            # A bug in answering one person must not silence the bot for all.
            _log.exception("an update was not answered")

    async def _may_decide(self, heard: Heard) -> bool:
        """In a group administrators alone speak for it."""
        if isinstance(heard, Moved | Admitted):
            return True
        place = heard.place
        if place.is_private or place.is_anonymous_admin:
            return True
        if isinstance(heard, Command) and heard.name == "help":
            return True
        member = await self._bot.get_chat_member(place.address, place.user_id)
        return member.status in _ADMINS

    async def _poll(self, stop: asyncio.Event) -> None:
        await self._bot.delete_webhook()
        offset = 0
        while not stop.is_set():
            updates = await self._unless(stop, self._updates(offset)) or ()
            for update in updates:
                await self.hear(update)
                offset = update.update_id + 1
        with suppress(TelegramError):
            # So that what was answered is not told again.
            await self._bot.get_updates(offset=offset, timeout=0, limit=1)

    async def _updates(self, offset: int) -> tuple[Update, ...]:
        try:
            return await self._bot.get_updates(
                offset=offset,
                timeout=_POLL_SECONDS,
                read_timeout=_POLL_SECONDS + 10,
                allowed_updates=_WANTED,
            )
        except InvalidToken:
            raise
        except Conflict:
            _log.warning("another process polls for the same bot: run `distributor bot` once only")
        except RetryAfter as error:
            _log.warning("Telegram asks to wait: %s", self._words(error))
        except NetworkError as error:
            _log.warning("Telegram does not answer: %s", self._words(error))
        await asyncio.sleep(_PAUSE_SECONDS)
        return ()

    async def _webhook(self, stop: asyncio.Event) -> None:
        secret = webhook.secret_of(self._account)
        application = webhook.app(self.hear, self._bot, secret)
        async with webhook.serving(application, self._account.webhook_listen):
            await self._bot.set_webhook(
                self._account.webhook_url, secret_token=secret, allowed_updates=_WANTED
            )
            await stop.wait()

    async def _ask_about_drafts(self, stop: asyncio.Event) -> None:
        """Operators are asked to approve drafts as soon as there are any."""
        while self._account.operators and not stop.is_set():
            for question in await asyncio.to_thread(self._dialogue.drafts_to_ask_about):
                await self._speaker.say(question)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _DRAFTS_SECONDS)

    async def _unless(
        self, stop: asyncio.Event, work: Awaitable[tuple[Update, ...]]
    ) -> tuple[Update, ...] | None:
        """The result of `work`, or None as soon as `stop` is set."""
        task, stopped = asyncio.ensure_future(work), asyncio.create_task(stop.wait())
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if task.done():
            return task.result()
        task.cancel()
        with suppress(asyncio.CancelledError, TelegramError):
            await task
        return None

    def _words(self, error: Exception) -> str:
        return without_token(str(error), self._account.token.get_secret_value())
