"""The buttons below a post, and the links that open the bot."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from channels.base import Edition
from channels.telegram import parser
from channels.telegram.account import TelegramAccount
from channels.telegram.passages import language_of

#: https://core.telegram.org/bots/features#deep-linking: at most so many characters.
_LONGEST_PAYLOAD = 64
_PLAIN_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
#: Marks a payload that is a list's name in Base64; `_` alone would be a name of its own.
_ENCODED = "_-"


def keyboard(edition: Edition, account: TelegramAccount) -> dict[str, Any] | None:
    """An inline keyboard of links to the web edition and to subscribing; None without any."""
    if not account.buttons:
        return None
    row = []
    if has_web_button(edition, account):
        row.append({"text": _label(edition, "web"), "url": edition.web_url})
    link = subscribe_link(account)
    if link:
        row.append({"text": _label(edition, "subscribe"), "url": link})
    return {"inline_keyboard": [row]} if row else None


def has_web_button(edition: Edition, account: TelegramAccount) -> bool:
    """Whether a button can lead to the web edition: Telegram refuses a host without a dot."""
    return account.buttons and bool(edition.web_url) and parser.linkable(edition.web_url)


def subscribe_link(account: TelegramAccount) -> str:
    """`t.me` link that opens the bot and joins its first open list; empty without a name."""
    if not account.username:
        return ""
    payload = start_payload(account.open_lists[0]) if account.open_lists else ""
    return f"https://t.me/{account.username}" + (f"?start={payload}" if payload else "")


def start_payload(list_name: str) -> str:
    """What a deep link carries for a list; empty for a name that is too long for one."""
    if _PLAIN_PAYLOAD.fullmatch(list_name) and not list_name.startswith(_ENCODED):
        return list_name
    encoded = base64.urlsafe_b64encode(list_name.encode()).decode().rstrip("=")
    payload = f"{_ENCODED}{encoded}"
    return payload if len(payload) <= _LONGEST_PAYLOAD else ""


def list_of_payload(payload: str) -> str:
    """The list's name that `start_payload` made `payload` of; as it is when it made it not."""
    if not payload.startswith(_ENCODED):
        return payload
    encoded = payload.removeprefix(_ENCODED)
    try:
        return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return payload


def _label(edition: Edition, name: str) -> str:
    language = language_of(edition)
    return edition.templates.render("telegram/button.txt.j2", language=language, name=name).strip()
