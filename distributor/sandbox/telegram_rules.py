"""Telegram's rules for the text of a message, judged by Telegram's own parser.

The parser is TDLib's, which the Bot API server calls for `parse_mode` too. What the server does
after it (https://core.telegram.org/bots/api#formatting-options) is written here: trimming,
length, nesting, automatic links, and how many entities are kept.
"""

from __future__ import annotations

import functools
import html
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Code points after parsing.
TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
#: UTF-8 bytes before parsing.
RAW_LIMIT = 32_768
#: Entities beyond these are dropped without a word.
ENTITY_LIMIT = 100
#: Measured against the real server: bytes of all entities together as it packs them.
ENTITY_BYTES_LIMIT = 9_500

#: TDLib's is_empty_string: characters that leave a message empty when there are no others.
_INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\ufeff"
_TRIMMED = " \t\r\n\v\0"

_KINDS = {
    "Bold": "bold",
    "Italic": "italic",
    "Underline": "underline",
    "Strikethrough": "strikethrough",
    "Spoiler": "spoiler",
    "Code": "code",
    "Pre": "pre",
    "PreCode": "pre",
    "TextUrl": "text_link",
    "MentionName": "text_mention",
    "CustomEmoji": "custom_emoji",
    "BlockQuote": "blockquote",
    "ExpandableBlockQuote": "expandable_blockquote",
    "Url": "url",
    "EmailAddress": "email",
    "PhoneNumber": "phone_number",
    "Mention": "mention",
    "Hashtag": "hashtag",
    "Cashtag": "cashtag",
    "BotCommand": "bot_command",
    "BankCardNumber": "bank_card",
}
_PARSE_MODES: dict[str, dict[str, Any]] = {
    "html": {"@type": "textParseModeHTML"},
    "markdownv2": {"@type": "textParseModeMarkdown", "version": 2},
    "markdown": {"@type": "textParseModeMarkdown", "version": 1},
}
_CODE = frozenset({"code", "pre"})
_QUOTES = frozenset({"blockquote", "expandable_blockquote"})
_LINKS = frozenset({"text_link", "text_mention"})
_KEPT_FIRST = _CODE | _QUOTES | _LINKS


class Refusal(Exception):
    """The Bot API says no: HTTP status and `error_code`, `description`, and seconds to wait."""

    def __init__(self, code: int, description: str, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.retry_after = retry_after


def bad_request(reason: str) -> Refusal:
    """A 400 in the Bot API's words."""
    return Refusal(400, f"Bad Request: {reason}")


@dataclass(frozen=True, slots=True)
class Entity:
    """One piece of formatting. Offset and length count UTF-16 code units."""

    kind: str
    offset: int
    length: int
    #: `url`, `language`, `custom_emoji_id` or `user`, as in the Bot API.
    extra: Mapping[str, Any]

    @property
    def end(self) -> int:
        """The first code unit after it."""
        return self.offset + self.length

    def inside(self, other: Entity) -> bool:
        """Whether `other` covers all of this."""
        return other.offset <= self.offset and self.end <= other.end

    def touches(self, other: Entity) -> bool:
        """Whether they share a character."""
        return self.offset < other.end and other.offset < self.end

    def packed_bytes(self) -> int:
        """Size in Telegram's TL serialisation: three words and, for some, a padded string."""
        text = str(self.extra.get("url") or self.extra.get("language") or "")
        number = 8 if "user" in self.extra or "custom_emoji_id" in self.extra else 0
        return 12 + number + (_packed_string_bytes(text) if text else 0)

    def as_json(self) -> dict[str, Any]:
        """A Bot API MessageEntity."""
        return {"type": self.kind, "offset": self.offset, "length": self.length, **self.extra}


@dataclass(frozen=True, slots=True)
class FormattedText:
    """Text as readers get it, and what to know about it."""

    text: str
    entities: tuple[Entity, ...]
    warnings: tuple[str, ...] = ()


def format_text(
    raw: str, parse_mode: str = "", entities: Sequence[Mapping[str, Any]] = (), *, limit: int
) -> FormattedText:
    """What Telegram makes of `raw`. Raises `Refusal` with its own words.

    `entities` are Bot API MessageEntity objects, used when there is no `parse_mode`. An empty
    text is not refused here: a caption may be empty.
    """
    if len(raw.encode()) > RAW_LIMIT:
        raise bad_request("text is too long")
    parsed = _parse(raw, parse_mode) if parse_mode else FormattedText(raw, _given(entities))
    text, kept = _trim(parsed)
    if len(text) > limit:
        raise bad_request("message is too long" if limit == TEXT_LIMIT else "caption is too long")
    kept, warnings = _without_nested(kept)
    found = [e for e in _found(text) if not any(e.touches(k) for k in kept if _blocks_links(k))]
    warnings += [_autolink_warning(text, e) for e in found if _is_bare_link(text, e)]
    kept, dropped = _first_entities([*kept, *found])
    if dropped:
        warnings.append(f"{dropped} of {len(kept) + dropped} entities were dropped (limit 100)")
    if sum(entity.packed_bytes() for entity in kept) > ENTITY_BYTES_LIMIT:
        raise bad_request("ENTITIES_TOO_LONG")
    return FormattedText(text, tuple(kept), tuple(warnings))


def is_empty(text: str) -> bool:
    """Whether Telegram sees nothing in `text`."""
    return not text.strip(_TRIMMED + _INVISIBLE + "\u00a0\u3000")


def is_link(url: str) -> bool:
    """Whether Telegram takes `url` as the address of a link."""
    found = _parse(f'<a href="{html.escape(url)}">x</a>', "HTML").entities
    return any(entity.kind == "text_link" for entity in found)


def utf16_slice(text: str, start: int, end: int) -> str:
    """Characters between two UTF-16 offsets."""
    return text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le", "replace")


def _parse(raw: str, parse_mode: str) -> FormattedText:
    mode = _PARSE_MODES.get(parse_mode.lower())
    if mode is None:
        raise bad_request("unsupported parse_mode")
    answer = _execute({"@type": "parseTextEntities", "text": raw, "parse_mode": mode})
    if answer["@type"] == "error":
        message = answer["message"]
        raise bad_request(message[0].lower() + message[1:])
    return FormattedText(answer["text"], tuple(map(_from_tdlib, answer["entities"])))


def _found(text: str) -> list[Entity]:
    """What every Telegram client turns into links, tags and mentions by itself."""
    answer = _execute({"@type": "getTextEntities", "text": text})
    return [_from_tdlib(entity) for entity in answer["entities"]]


def _execute(request: Mapping[str, Any]) -> dict[str, Any]:
    answer = _tdlib()(json.dumps(request).encode())
    result: dict[str, Any] = json.loads(answer or b"{}")
    return result


@functools.cache
def _tdlib() -> Callable[[bytes], bytes | None]:
    """TDLib's entry, told to log nothing: it prints every request otherwise."""
    from tdjson import td_execute

    td_execute(json.dumps({"@type": "setLogVerbosityLevel", "new_verbosity_level": 0}).encode())
    execute: Callable[[bytes], bytes | None] = td_execute
    return execute


def _from_tdlib(entity: Mapping[str, Any]) -> Entity:
    type_ = entity["type"]
    extra: dict[str, Any] = {
        key: type_[key] for key in ("url", "language", "custom_emoji_id") if type_.get(key)
    }
    if "user_id" in type_:
        extra["user"] = {"id": type_["user_id"], "is_bot": False, "first_name": "User"}
    kind = _KINDS.get(type_["@type"].removeprefix("textEntityType"), "unknown")
    return Entity(kind, entity["offset"], entity["length"], extra)


def _given(entities: Sequence[Mapping[str, Any]]) -> tuple[Entity, ...]:
    try:
        return tuple(
            Entity(
                str(entity["type"]),
                int(entity["offset"]),
                int(entity["length"]),
                {k: v for k, v in entity.items() if k not in ("type", "offset", "length")},
            )
            for entity in entities
        )
    except (KeyError, TypeError, ValueError) as error:
        raise bad_request("can't parse MessageEntity") from error


def _trim(formatted: FormattedText) -> tuple[str, list[Entity]]:
    """Text without white space at its edges, and the entities moved along with it."""
    whole = formatted.text.replace("\r", "")
    text = whole.strip(_TRIMMED)
    lead = len(whole) - len(whole.lstrip(_TRIMMED))
    size = len(text.encode("utf-16-le")) // 2
    moved = []
    for entity in formatted.entities:
        start, end = max(0, entity.offset - lead), min(size, entity.end - lead)
        if start < end:
            moved.append(Entity(entity.kind, start, end - start, entity.extra))
    return text, moved


def _without_nested(entities: Sequence[Entity]) -> tuple[list[Entity], list[str]]:
    """Without what Telegram drops: anything in code, a quote in a quote, a link in a link."""
    kept: list[Entity] = []
    warnings: list[str] = []
    for entity in sorted(entities, key=lambda e: (e.offset, -e.length)):
        outer = next((k for k in kept if entity.inside(k) and _excludes(k, entity)), None)
        if outer is None:
            kept.append(entity)
        else:
            warnings.append(f"{entity.kind} inside {outer.kind} was dropped")
    return kept, warnings


def _excludes(outer: Entity, inner: Entity) -> bool:
    return outer.kind in _CODE or any(
        outer.kind in family and inner.kind in family for family in (_QUOTES, _LINKS)
    )


def _blocks_links(entity: Entity) -> bool:
    return entity.kind in _CODE | _LINKS


def _is_bare_link(text: str, entity: Entity) -> bool:
    """A link that nobody wrote as one: `Booking.com` is, `https://example.com` is not."""
    written = utf16_slice(text, entity.offset, entity.end)
    return entity.kind == "url" and "://" not in written


def _autolink_warning(text: str, entity: Entity) -> str:
    written = utf16_slice(text, entity.offset, entity.end)
    return f"Telegram makes a link of “{written}” by itself"


def _first_entities(entities: Sequence[Entity]) -> tuple[list[Entity], int]:
    """At most `ENTITY_LIMIT`, links, quotes and code before the rest; and how many were dropped."""
    ranked = sorted(entities, key=lambda e: (e.kind not in _KEPT_FIRST, e.offset, -e.length))
    kept = sorted(ranked[:ENTITY_LIMIT], key=lambda e: (e.offset, -e.length))
    return kept, len(entities) - len(kept)


def _packed_string_bytes(text: str) -> int:
    """TL strings: one length byte up to 253 bytes, four above, padded to whole words."""
    size = len(text.encode())
    return -(-(size + (1 if size < 254 else 4)) // 4) * 4  # noqa: PLR2004
