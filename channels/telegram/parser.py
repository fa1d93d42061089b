"""The platform's own parser as the judge of a message.

TDLib is Telegram's client library; its `parseTextEntities` is what the Bot API server itself
calls for `parse_mode=HTML`, with the same error texts, and needs no network.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from html import escape
from itertools import accumulate
from typing import Any
from urllib.parse import urlsplit

from channels.base import RenderError
from channels.telegram.limits import LONGEST_URL_BYTES, MESSAGE, Cost

# An entity on the wire (https://core.telegram.org/schema): constructor, flags, offset, length,
# and for a link the length and padding of its address.
_ENTITY_BYTES = 16
_STRING_BYTES = 8
# Characters after it take two units in UTF-16.
_LAST_OF_BMP = 0xFFFF


@dataclass(frozen=True, slots=True)
class Entity:
    """One stretch of formatting; `start` and `end` are code points of the visible text."""

    #: TDLib's name without its prefix: `Bold`, `TextUrl`, `Url`, `Mention`, `Hashtag`, ...
    kind: str
    start: int
    end: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What readers get: the visible text and its formatting."""

    text: str
    entities: tuple[Entity, ...]


@lru_cache(maxsize=256)
def parse(html: str) -> Parsed:
    """What Telegram makes of `html`. Raises `RenderError` with Telegram's own words."""
    mode = {"@type": "textParseModeHTML"}
    reply = _execute({"@type": "parseTextEntities", "text": html, "parse_mode": mode})
    if reply["@type"] == "error":
        raise RenderError(f"Telegram refuses the message: {reply['message']}")
    return Parsed(reply["text"], _entities(reply["text"], reply["entities"]))


@lru_cache(maxsize=1024)
def autolinks(text: str) -> tuple[Entity, ...]:
    """The links, mentions, hashtags and commands that Telegram would add to plain `text`."""
    reply = _execute({"@type": "getTextEntities", "text": text})
    return _entities(text, reply["entities"])


def cost(html: str) -> Cost:
    """What `html` takes of a message. Raises `RenderError` when Telegram cannot parse it.

    Markup too large to be parsed costs at least its size, which fits no message.
    """
    markup_bytes = len(html.encode())
    if markup_bytes > MESSAGE.markup_bytes:
        return Cost(markup_bytes=markup_bytes)
    parsed = parse(html)
    entities = (*parsed.entities, *autolinks(parsed.text))
    return Cost(
        characters=len(parsed.text),
        entities=len(entities),
        entity_bytes=sum(map(_entity_bytes, entities)),
        markup_bytes=markup_bytes,
    )


@lru_cache(maxsize=1024)
def linkable(url: str) -> bool:
    """Whether Telegram keeps a link to `url` as it is.

    It drops one to a host with no dot, and turns `mailto:` into a broken web address.
    """
    if len(url.encode()) > LONGEST_URL_BYTES:
        return False
    links = [e.url for e in parse(f'<a href="{escape(url)}">x</a>').entities if e.url]
    return len(links) == 1 and _origin(links[0]) == _origin(url)


def _origin(url: str) -> tuple[str, str | None]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url, None
    return parts.scheme, parts.hostname


def _entity_bytes(entity: Entity) -> int:
    return _ENTITY_BYTES + (_STRING_BYTES + len(entity.url.encode()) if entity.url else 0)


def _entities(text: str, found: list[dict[str, Any]]) -> tuple[Entity, ...]:
    place = _code_points(text)
    return tuple(
        Entity(
            kind=entity["type"]["@type"].removeprefix("textEntityType"),
            start=place(entity["offset"]),
            end=place(entity["offset"] + entity["length"]),
            url=entity["type"].get("url", ""),
        )
        for entity in found
    )


def _code_points(text: str) -> Callable[[int], int]:
    """Translates Telegram's offsets in UTF-16 units to offsets in `text`."""
    widths = [2 if ord(character) > _LAST_OF_BMP else 1 for character in text]
    if sum(widths) == len(text):
        return lambda offset: offset
    ends = {unit: index for index, unit in enumerate(accumulate(widths, initial=0))}
    return ends.__getitem__


def _execute(request: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(_library()(json.dumps(request).encode()))
    return answer


@cache
def _library() -> Callable[[bytes], bytes]:
    """TDLib's synchronous entry, loaded on first use (50 MB) and told not to log."""
    import tdjson

    def run(request: bytes) -> bytes:
        return tdjson.td_execute(request) or b"{}"

    run(b'{"@type": "setLogVerbosityLevel", "new_verbosity_level": 0}')
    return run
