"""Saying what there is to say, within the limits that all workers share."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.error import BadRequest, RetryAfter, TelegramError

from channels.base import Part, Recipient, Verdict
from channels.telegram import CHANNEL
from channels.telegram.account import TelegramAccount
from channels.telegram.errors import says_nothing_to_do, without_token
from channels.telegram.subscriber import PIN
from distributor.bot.answers import Answer, LatestEdition, Reaction
from distributor.engine.context import Context
from distributor.ledger import deliveries, latest

_log = logging.getLogger(__name__)

#: Who asks so often that there is no room within this time gets no answer, in seconds.
_PATIENCE_SECONDS = 5.0


class Speaker:
    """Sends answers. What cannot be said is logged, and nobody else waits for it."""

    def __init__(self, context: Context, account: TelegramAccount, bot: Bot) -> None:
        self._context = context
        self._account = account
        self._bot = bot

    async def say(self, reaction: Reaction) -> None:
        """Say it once; a second time only when Telegram asked to wait."""
        if isinstance(reaction, LatestEdition):
            await asyncio.to_thread(self._send_latest, reaction)
            return
        try:
            await self._say(reaction)
        except RetryAfter as error:
            wait = error.retry_after
            await asyncio.sleep(
                wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
            )
            await self._say_or_log(reaction)
        except TelegramError as error:
            self._log_failure(error)

    async def _say_or_log(self, answer: Answer) -> None:
        try:
            await self._say(answer)
        except TelegramError as error:
            self._log_failure(error)

    async def _say(self, answer: Answer) -> None:
        if not await asyncio.to_thread(self._find_room, answer.address):
            return
        keyboard = _keyboard(answer)
        if answer.replaces is None:
            await self._bot.send_message(
                answer.address,
                answer.text,
                reply_markup=keyboard,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
            return
        try:
            await self._bot.edit_message_text(
                answer.text, answer.address, answer.replaces, reply_markup=keyboard
            )
        except BadRequest as error:
            if not says_nothing_to_do(error):
                raise

    def _send_latest(self, wanted: LatestEdition) -> None:
        """Post the parts of a rendering, as they were frozen, to one chat."""
        with self._context.ledger.read() as connection:
            payloads = deliveries.payloads(connection, wanted.rendering_id)
            attributes = latest.attributes_of(connection, wanted.subscriber_id)
        accepted: list[str] = []
        with self._context.connections.lend(self._account) as connection:
            for number, payload in enumerate(payloads, start=1):
                if not self._find_room(wanted.address):
                    return
                recipient = Recipient(
                    wanted.address,
                    identity=f"latest-{wanted.subscriber_id}",
                    attributes={**attributes, PIN: "no"},
                    accepted=tuple(accepted),
                )
                outcome = connection.deliver(Part(number, payload), recipient)
                if outcome.verdict is not Verdict.SENT:
                    _log.warning("the latest edition was not sent: %s", outcome.code)
                    return
                accepted.append(outcome.message_id or "")

    def _find_room(self, address: str) -> bool:
        limits = CHANNEL.rate_limits(self._account, address)
        room = self._context.limiter.reserve(limits, _PATIENCE_SECONDS)
        if room.full is not None:
            _log.warning("no answer: the limit of %s is used up", room.full.key.split(":")[0])
            return False
        self._context.stopping.wait(room.wait)
        return True

    def _log_failure(self, error: TelegramError) -> None:
        token = self._account.token.get_secret_value()
        _log.warning("an answer was not sent: %s", without_token(str(error), token))


def _keyboard(answer: Answer) -> InlineKeyboardMarkup | None:
    rows = [
        [InlineKeyboardButton(one.text, callback_data=one.data) for one in row]
        for row in answer.buttons
    ]
    return InlineKeyboardMarkup(rows) if rows else None
