"""An edition as Telegram posts."""

from __future__ import annotations

from typing import Any

from channels.base import Edition, Part, RenderError, Rendering
from channels.telegram import parser
from channels.telegram.account import Style, TelegramAccount
from channels.telegram.buttons import has_web_button, keyboard
from channels.telegram.limits import MESSAGE
from channels.telegram.passages import MOST_FULL_ITEMS, caption, texts

#: Set in the payload of the last part of a post that is to be pinned. Not of the Bot API.
PIN = "pin"


def render(edition: Edition, account: TelegramAccount, style: Style) -> Rendering:
    """The posts of `edition`, each one parsed by Telegram's own parser.

    Raises `RenderError` when a template makes a message that Telegram refuses.
    """
    found, left_out = texts(
        edition,
        style,
        has_web_button=has_web_button(edition, account),
        has_title=account.cover is None,
    )
    if not found and account.cover is None:
        raise RenderError("the edition has no text to post on Telegram")
    for number, text in enumerate(found, start=1):
        _check(text, number)
    return Rendering(_parts(edition, account, found), tuple(_warnings(edition, left_out)))


def _parts(edition: Edition, account: TelegramAccount, found: list[str]) -> tuple[Part, ...]:
    payloads = [_payload(text) for text in found]
    if account.cover is not None:
        payloads.insert(0, _photo(caption(edition)))
    elif account.preview and edition.web_url and parser.linkable(edition.web_url):
        payloads[0]["link_preview_options"] = {
            "url": edition.web_url,
            "prefer_large_media": True,
            "show_above_text": True,
        }
    # One sound a post.
    for payload in payloads[1:]:
        payload["disable_notification"] = True
    buttons = keyboard(edition, account)
    if buttons:
        payloads[-1]["reply_markup"] = buttons
    if account.pin:
        payloads[-1][PIN] = True
    return tuple(Part(number, payload) for number, payload in enumerate(payloads, start=1))


def _payload(text: str) -> dict[str, Any]:
    """The Bot API call of one part, without the chat."""
    return {
        "method": "sendMessage",
        "text": text,
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }


def _photo(text: str) -> dict[str, Any]:
    """The call for the cover, whose file is the account's and is uploaded when it is sent."""
    return {
        "method": "sendPhoto",
        "photo": "attach://cover",
        "caption": text,
        "parse_mode": "HTML",
    }


def _warnings(edition: Edition, left_out: int) -> list[str]:
    items = edition.digest.items
    warnings = [
        f"item {item.number}: Telegram cannot link to its address, which is shown as text"
        for item in items
        if item.url and not parser.linkable(item.url)
    ]
    if len(items) > MOST_FULL_ITEMS:
        rest = f", and the last {left_out} are on the web edition alone" if left_out else ""
        warnings.append(
            f"{len(items)} items are too many for Telegram: the post holds headlines only{rest}"
        )
    return warnings


def _check(text: str, number: int) -> None:
    """Raises `RenderError` unless Telegram takes `text` as a message and drops none of it."""
    if not parser.parse(text).text.strip():
        raise RenderError(f"part {number} of the Telegram post has no text: check the templates")
    cost = parser.cost(text)
    if not cost.fits(MESSAGE):
        raise RenderError(
            f"part {number} of the Telegram post has {cost.characters} characters,"
            f" {cost.entities} entities of {cost.entity_bytes} bytes and {cost.markup_bytes} bytes"
            f" of markup; at most {MESSAGE.characters}, {MESSAGE.entities},"
            f" {MESSAGE.entity_bytes} and {MESSAGE.markup_bytes} are accepted:"
            " shorten the templates"
        )
