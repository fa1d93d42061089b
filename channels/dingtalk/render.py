"""An edition as DingTalk messages: Markdown with everything, or a feed of cards.

https://open.dingtalk.com/document/robots/message-types-and-data-format
"""

from __future__ import annotations

import json
from typing import Any

from channels.base import Edition, Part, Rendering
from channels.links import item_link
from channels.marked import Dialect
from channels.stories import Style, marked_messages, require_content
from distributor.digest.gist import by_source, edition_title, item_title
from distributor.digest.shorten import shorten_title
from distributor.pictures.catalog import CARD, tile_picture

#: The body of a call may have so many bytes.
BODY_BYTES = 20_000
_AROUND_BYTES = 2_000
_TITLE_BYTES = 240
_URL_BYTES = 1_024
#: Cards in one feed; DingTalk names no limit, and more are not read.
FEED_CARDS = 8
MOST_ITEMS = 50


def render(edition: Edition, profile: str) -> Rendering:
    """The messages in order. Raises `RenderError`."""
    digest = edition.digest
    require_content(edition, _URL_BYTES)
    return _cards(edition) if profile == "cards" and digest.items else _markdown(edition)


def _markdown(edition: Edition) -> Rendering:
    style = Style(
        # A line's end is kept only behind two spaces, and code is not known.
        Dialect(code=False, newline="  \n", paragraph="\n\n"),
        BODY_BYTES - _AROUND_BYTES,
        measure=_as_json,
    )
    headlines = len(edition.digest.items) > MOST_ITEMS
    packed = marked_messages(edition, style, headlines=headlines)
    parts = tuple(
        Part(
            number,
            {"msgtype": "markdown", "markdown": {"title": _title(edition), "text": text}},
        )
        for number, text in enumerate(packed.messages, start=1)
    )
    return Rendering(parts, packed.warnings)


def _cards(edition: Edition) -> Rendering:
    """Feeds of the stories; the first card of all is the edition itself."""
    base = edition.web_url.rstrip("/")
    links: list[dict[str, Any]] = [
        {"title": _title(edition), "messageURL": edition.web_url, "picURL": f"{base}/{CARD}"}
    ]
    warnings: list[str] = []
    for item in edition.digest.items:
        for source in by_source(item):
            url, noted = item_link(source, edition, _URL_BYTES)
            warnings += noted
            title = f"{item.number}. {item_title(source, edition.digest)}"
            links.append(
                {
                    "title": shorten_title(title, _TITLE_BYTES),
                    "messageURL": url,
                    "picURL": f"{base}/{tile_picture(item.number)}",
                }
            )
    feeds = [links[start : start + FEED_CARDS] for start in range(0, len(links), FEED_CARDS)]
    if edition.digest.commentary:
        warnings.append("Cards show titles only: texts and the commentary are in the web edition.")
    parts = tuple(
        Part(number, {"msgtype": "feedCard", "feedCard": {"links": feed}})
        for number, feed in enumerate(feeds, start=1)
    )
    return Rendering(parts, tuple(warnings))


def _title(edition: Edition) -> str:
    return shorten_title(edition_title(edition.digest, edition.publisher.name), _TITLE_BYTES)


def _as_json(text: str) -> int:
    """Bytes of `text` inside the call."""
    return len(json.dumps(text, ensure_ascii=False).encode())
