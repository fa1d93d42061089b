"""The Bot API calls that delivering takes, from a part's payload."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from telegram import Bot, InlineKeyboardMarkup, LinkPreviewOptions, Message, ReplyParameters
from telegram.error import BadRequest

from channels.base import Part, Recipient


async def send(
    bot: Bot,
    part: Part,
    recipient: Recipient,
    *,
    thread: int | None,
    is_silent: bool,
    photo: bytes | str,
) -> Message:
    """Post `part`, as a reply to the part that was accepted before it.

    `photo`: the cover, or Telegram's id of it, for a part that is one.
    """
    payload = part.payload
    previous = recipient.accepted[-1] if recipient.accepted else None
    common: dict[str, Any] = {
        "chat_id": recipient.address,
        "parse_mode": payload["parse_mode"],
        "reply_markup": _keyboard(payload.get("reply_markup")),
        "disable_notification": True if is_silent else payload.get("disable_notification"),
        "message_thread_id": thread,
        "reply_parameters": (
            ReplyParameters(int(previous), allow_sending_without_reply=True) if previous else None
        ),
    }
    if is_photo(part):
        return await bot.send_photo(photo=photo, caption=payload["caption"], **common)
    return await bot.send_message(
        text=payload["text"],
        link_preview_options=LinkPreviewOptions(**payload["link_preview_options"]),
        **common,
    )


def is_photo(part: Part) -> bool:
    """Whether `part` is the cover."""
    return bool(part.payload["method"] == "sendPhoto")


async def edit(bot: Bot, part: Part, recipient: Recipient, message_id: int) -> None:
    """Put the words and buttons of `part` in place of a message's."""
    payload = part.payload
    if is_photo(part):
        await bot.edit_message_caption(
            recipient.address,
            message_id,
            caption=payload["caption"],
            parse_mode=payload["parse_mode"],
            reply_markup=_keyboard(payload.get("reply_markup")),
        )
        return
    await bot.edit_message_text(
        payload["text"],
        chat_id=recipient.address,
        message_id=message_id,
        parse_mode=payload["parse_mode"],
        link_preview_options=LinkPreviewOptions(**payload["link_preview_options"]),
        reply_markup=_keyboard(payload.get("reply_markup")),
    )


async def delete(bot: Bot, recipient: Recipient, message_id: int) -> None:
    """Take a message away for everybody."""
    await bot.delete_message(recipient.address, message_id)


async def pin(bot: Bot, chat_id: int, message_id: int, before: int | None) -> None:
    """Pin a message without a sound, and unpin the one `before` it, if it still is."""
    await bot.pin_chat_message(chat_id, message_id, disable_notification=True)
    if before is not None and before != message_id:
        with suppress(BadRequest):
            await bot.unpin_chat_message(chat_id, before)


def _keyboard(markup: dict[str, Any] | None) -> InlineKeyboardMarkup | None:
    return InlineKeyboardMarkup.de_json(markup, None) if markup else None
