"""What people do in chats with a bot, and how the bot learns of it: by polling or by a webhook."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from distributor.sandbox.bot_calls import Call
from distributor.sandbox.telegram_rules import Refusal, bad_request

logger = logging.getLogger(__name__)

#: https://core.telegram.org/bots/api#getupdates
_MOST_AT_ONCE = 100
_KEPT = 1000
_LONGEST_POLL_SECONDS = 50
_RETRY_SECONDS = 1.0
_PROOF_HEADER = "X-Telegram-Bot-Api-Secret-Token"


@dataclass(slots=True)
class _Inbox:
    """One bot's updates and how it takes them."""

    waiting: list[dict[str, Any]] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""
    secret: str = ""
    #: Changes with each poll: the one before ends then.
    poll: str = ""
    posting: asyncio.Task[None] | None = None


class Updates:
    """The updates that bots have not taken yet, in memory, by bot."""

    def __init__(self) -> None:
        self._inboxes: dict[int, _Inbox] = {}
        #: For bots that are not known yet.
        self._all: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._last_id = 0

    def inbox(self, bot_id: int) -> _Inbox:
        """The inbox of a bot; at its first call, all that happened so far waits for it."""
        if bot_id not in self._inboxes:
            self._inboxes[bot_id] = _Inbox(waiting=list(self._all))
        return self._inboxes[bot_id]

    def add(self, kind: str, content: Mapping[str, Any]) -> int:
        """Tell every known bot of an update, such as a `message`; returns how many there are."""
        self._last_id += 1
        update = {"update_id": self._last_id, kind: dict(content)}
        self._all.append(update)
        for inbox in self._inboxes.values():
            inbox.waiting.append(update)
            inbox.came.set()
            if inbox.url and (inbox.posting is None or inbox.posting.done()):
                inbox.posting = asyncio.create_task(_post(inbox))
        return len(self._inboxes)

    async def get(self, call: Call) -> object:
        """Answer getUpdates; waits up to `timeout` seconds for the first one."""
        inbox = self.inbox(call.bot_id)
        if inbox.url:
            raise Refusal(
                409,
                "Conflict: can't use getUpdates method while webhook is active;"
                " use deleteWebhook to delete the webhook first",
            )
        mine = inbox.poll = secrets.token_hex(8)
        inbox.came.set()
        offset = call.number("offset")
        inbox.waiting = [one for one in inbox.waiting if one["update_id"] >= offset]
        deadline = time.monotonic() + min(call.number("timeout"), _LONGEST_POLL_SECONDS)
        while True:
            if inbox.poll != mine:
                raise Refusal(
                    409,
                    "Conflict: terminated by other getUpdates request;"
                    " make sure that only one bot instance is running",
                )
            left = deadline - time.monotonic()
            if inbox.waiting or left <= 0:
                return inbox.waiting[: call.number("limit") or _MOST_AT_ONCE]
            inbox.came.clear()
            try:
                await asyncio.wait_for(inbox.came.wait(), left)
            except TimeoutError:
                continue

    def set_webhook(self, call: Call) -> object:
        """Post updates to `url` from now on; an empty one takes the webhook away."""
        url = call.text("url")
        if url and not url.startswith(("http://", "https://")):
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        inbox = self.inbox(call.bot_id)
        inbox.url, inbox.secret = url, call.text("secret_token")
        if url and inbox.waiting:
            inbox.posting = asyncio.create_task(_post(inbox))
        return True

    def delete_webhook(self, call: Call) -> object:
        """Go back to polling."""
        inbox = self.inbox(call.bot_id)
        inbox.url = inbox.secret = ""
        if call.is_set("drop_pending_updates"):
            inbox.waiting.clear()
        return True

    def webhook_info(self, call: Call) -> object:
        """A WebhookInfo."""
        inbox = self.inbox(call.bot_id)
        return {
            "url": inbox.url,
            "has_custom_certificate": False,
            "pending_update_count": len(inbox.waiting),
        }


async def _post(inbox: _Inbox) -> None:
    """Post what waits to the webhook, in order, each until it is taken."""
    headers = {_PROOF_HEADER: inbox.secret} if inbox.secret else {}
    async with httpx.AsyncClient(timeout=30) as client:
        while inbox.waiting and inbox.url:
            update = inbox.waiting[0]
            try:
                answer = await client.post(inbox.url, json=update, headers=headers)
            except httpx.HTTPError as error:
                logger.warning("the webhook did not answer: %s", type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            if answer.is_success:
                inbox.waiting = [one for one in inbox.waiting if one is not update]
            else:
                await asyncio.sleep(_RETRY_SECONDS)
