"""Changing messages that are there: editing, deleting, pinning."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from distributor.sandbox.bot_calls import Call
from distributor.sandbox.bot_content import (
    OPTIONS,
    caption_content,
    formatted_of,
    options_of,
    summary_of,
    text_content,
)
from distributor.sandbox.bot_keyboards import check_keyboard
from distributor.sandbox.bot_messages import as_message, chat_of
from distributor.sandbox.store import Platform, Received, Store
from distributor.sandbox.telegram_rules import CAPTION_LIMIT, TEXT_LIMIT, bad_request, is_empty

#: https://core.telegram.org/bots/api#deletemessage
_DELETABLE = timedelta(hours=48)


class Edits:
    """The methods of the Bot API for messages that were sent."""

    def __init__(self, store: Store, limit_rate: Callable[[Call, dict[str, Any]], None]) -> None:
        """`limit_rate` raises `Refusal` when an edit comes too soon."""
        self._store = store
        self._limit_rate = limit_rate

    def edit_message_text(self, call: Call) -> object:
        """New words and buttons for the bot's own message."""
        chat = chat_of(call.text("chat_id"))
        message = self._own(call, chat, "edit")
        if "text" not in message.content:
            raise bad_request("there is no text in the message to edit")
        if not call.text("text"):
            raise bad_request("message text is empty")
        check_keyboard(call.json("reply_markup"))
        formatted = formatted_of(call, "text", "entities", TEXT_LIMIT)
        if is_empty(formatted.text):
            raise bad_request("message text is empty")
        changed = {**message.content, **text_content(formatted)}
        for name in OPTIONS:
            changed.pop(name, None)
        return self._change(call, chat, message, changed | options_of(call))

    def edit_message_caption(self, call: Call) -> object:
        """New words and buttons below the bot's own photo."""
        chat = chat_of(call.text("chat_id"))
        message = self._own(call, chat, "edit")
        if "photo" not in message.content:
            raise bad_request("there is no caption in the message to edit")
        check_keyboard(call.json("reply_markup"))
        formatted = formatted_of(call, "caption", "caption_entities", CAPTION_LIMIT)
        changed = {**message.content, **caption_content(formatted)}
        changed.pop("reply_markup", None)
        return self._change(call, chat, message, changed | options_of(call))

    def _change(
        self, call: Call, chat: dict[str, Any], message: Received, changed: dict[str, Any]
    ) -> object:
        if changed == message.content:
            raise bad_request(
                "message is not modified: specified new message content and reply markup are"
                " exactly the same as a current content and reply markup of the message"
            )
        self._limit_rate(call, chat)
        changed["edit_date"] = int(time.time())
        self._store.edit(message.id, summary_of(changed.get("text") or changed["caption"]), changed)
        return self.shown(message.id)

    def delete_message(self, call: Call) -> object:
        """Take a message away, within 48 hours."""
        chat = chat_of(call.text("chat_id"))
        wanted = call.number("message_id")
        message = self.find(chat, wanted, "message to delete not found")
        if datetime.now(UTC) - message.at > _DELETABLE:
            raise bad_request("message can't be deleted")
        self._store.remove(message.id)
        return True

    def pin_chat_message(self, call: Call) -> object:
        """Pin a message."""
        chat = chat_of(call.text("chat_id"))
        message = self.find(chat, call.number("message_id"), "message to pin not found")
        self._store.edit(message.id, message.summary, {**message.content, "pinned": True})
        return True

    def unpin_chat_message(self, call: Call) -> object:
        """Unpin a message that is pinned."""
        chat = chat_of(call.text("chat_id"))
        message = self.find(chat, call.number("message_id"), "message to unpin not found")
        if not message.content.get("pinned"):
            raise bad_request("message to unpin not found")
        self._store.edit(message.id, message.summary, {**message.content, "pinned": False})
        return True

    def find(self, chat: dict[str, Any], message_id: int, otherwise: str) -> Received:
        """The message in this chat. Raises `Refusal` with the words `otherwise`."""
        message = self._store.get(Platform.TELEGRAM, message_id)
        if message is None or message.content["chat"]["id"] != chat["id"]:
            raise bad_request(otherwise)
        return message

    def shown(self, id_: int) -> object:
        """A Message object, with the one that it answers."""
        message = self._store.get(Platform.TELEGRAM, id_)
        if message is None:
            raise bad_request("message not found")
        replied = self._store.get(Platform.TELEGRAM, message.content.get("reply_to", 0))
        return as_message(message, replied)

    def _own(self, call: Call, chat: dict[str, Any], verb: str) -> Received:
        """The bot's own message that the call is about."""
        message = self.find(chat, call.number("message_id"), f"message to {verb} not found")
        if message.content.get("bot_id") != call.bot_id:
            raise bad_request(f"message can't be {verb}ed")
        return message
