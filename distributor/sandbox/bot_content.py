"""What a message of a bot holds, from the parameters of its call."""

from __future__ import annotations

from typing import Any

from distributor.sandbox.bot_calls import Call
from distributor.sandbox.telegram_rules import FormattedText, format_text

#: What decides how a message looks beside its text.
OPTIONS = ("reply_markup", "link_preview_options")
_SUMMARY_LENGTH = 80


def formatted_of(call: Call, text: str, entities: str, limit: int) -> FormattedText:
    """Text and formatting as readers get them. Raises `Refusal`."""
    given = call.json(entities) or []
    return format_text(call.text(text), call.text("parse_mode"), given, limit=limit)


def text_content(formatted: FormattedText) -> dict[str, Any]:
    """What a text message holds."""
    return {
        "text": formatted.text,
        "entities": [entity.as_json() for entity in formatted.entities],
    }


def caption_content(formatted: FormattedText) -> dict[str, Any]:
    """What stands below a photo."""
    return {
        "caption": formatted.text,
        "caption_entities": [entity.as_json() for entity in formatted.entities],
    }


def options_of(call: Call) -> dict[str, Any]:
    """What decides how the message looks beside its text."""
    options = {name: call.json(name) for name in OPTIONS}
    return {name: value for name, value in options.items() if value}


def summary_of(text: str) -> str:
    """One line that tells a message apart in a list."""
    return " ".join(text.split())[:_SUMMARY_LENGTH]
