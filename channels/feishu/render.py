"""An edition as Feishu cards, each of at most 20 KB.

https://open.feishu.cn/document/feishu-cards/card-json-v1-structure
"""

from __future__ import annotations

import json
from typing import Any

from channels.base import Edition, Part, Rendering
from channels.marked import Dialect
from channels.stories import Style, marked_messages, require_content
from distributor.digest.gist import edition_title
from distributor.digest.labels import labels_for
from distributor.digest.shorten import shorten_title

#: The body of a call may have so many bytes, with signature and all.
BODY_BYTES = 20_000
#: What stands around a card's text: head, button, foot, signature.
_AROUND_BYTES = 3_200
_TITLE_BYTES = 240
_URL_BYTES = 1_024
MOST_ITEMS = 50


def render(edition: Edition) -> Rendering:
    """The cards in order. Raises `RenderError`."""
    digest = edition.digest
    require_content(edition, _URL_BYTES)
    style = Style(
        Dialect(code=False),
        BODY_BYTES - _AROUND_BYTES,
        measure=_as_json,
        muted=_grey,
        has_title=False,
    )
    packed = marked_messages(edition, style, headlines=len(digest.items) > MOST_ITEMS)
    count = len(packed.messages)
    parts = tuple(
        Part(number, _card(edition, text, number, count))
        for number, text in enumerate(packed.messages, start=1)
    )
    return Rendering(parts, packed.warnings)


def _card(edition: Edition, text: str, number: int, count: int) -> dict[str, Any]:
    words = labels_for(edition.digest.language)
    title = shorten_title(edition_title(edition.digest, edition.publisher.name), _TITLE_BYTES)
    elements: list[dict[str, Any]] = [{"tag": "markdown", "content": text}]
    if number == count:
        button = {
            "tag": "button",
            "text": {"tag": "plain_text", "content": words.full},
            "type": "primary",
            "url": edition.web_url,
        }
        publisher = shorten_title(edition.publisher.name, _TITLE_BYTES)
        note = {"tag": "note", "elements": [{"tag": "plain_text", "content": publisher}]}
        elements += [{"tag": "hr"}, {"tag": "action", "actions": [button]}, note]
    place = f"（{number}/{count}）" if count > 1 else ""
    return {
        "msg_type": "interactive",
        "card": {
            "config": {"wide_screen_mode": True},
            "header": {
                "template": "blue",
                "title": {"tag": "plain_text", "content": title + place},
            },
            "elements": elements,
        },
    }


def _grey(text: str) -> str:
    return f"<font color='grey'>{text}</font>"


def _as_json(text: str) -> int:
    """Bytes of `text` inside the call."""
    return len(json.dumps(text, ensure_ascii=False).encode())
