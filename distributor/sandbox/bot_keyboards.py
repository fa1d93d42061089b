"""Inline keyboards, as strict as the Bot API: https://core.telegram.org/bots/api#inlinekeyboardbutton."""

from __future__ import annotations

from typing import Any

from distributor.sandbox.telegram_rules import bad_request, is_link

_LONGEST_DATA = 64
_ACTIONS = ("url", "callback_data", "web_app", "login_url", "switch_inline_query", "copy_text")


def check_keyboard(markup: Any) -> None:
    """Raises `Refusal` in Telegram's words for a keyboard that it would not take."""
    if markup is None or not isinstance(markup, dict) or "inline_keyboard" not in markup:
        return
    rows = markup["inline_keyboard"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request("object expected as reply markup")
    for button in (button for row in rows for button in row):
        _check_button(button)


def _check_button(button: Any) -> None:
    if not isinstance(button, dict) or not str(button.get("text", "")).strip():
        raise bad_request('can\'t parse inline keyboard button: Field "text" must be non-empty')
    if not any(button.get(action) for action in _ACTIONS):
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    url = str(button.get("url", ""))
    if url and not url.startswith("tg://") and not is_link(url):
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
    if len(str(button.get("callback_data", "")).encode()) > _LONGEST_DATA:
        raise bad_request("BUTTON_DATA_INVALID")
