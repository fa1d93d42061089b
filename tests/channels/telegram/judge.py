"""Telegram's own view of a message, asked from TDLib without the channel's code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import tdjson


@dataclass(frozen=True)
class Message:
    """What a reader gets: UTF-16 offsets are already code points."""

    text: str
    #: (kind, covered text, address) of what the markup says.
    entities: tuple[tuple[str, str, str], ...]
    #: The same of what Telegram adds by itself.
    added: tuple[tuple[str, str, str], ...]

    @property
    def links(self) -> list[tuple[str, str]]:
        return [(label, url) for kind, label, url in self.entities if kind == "TextUrl"]

    def styled(self, kind: str) -> list[str]:
        return [label for found, label, _ in self.entities if found == kind]


def read(html: str) -> Message:
    """Raises `ValueError` with Telegram's words when it refuses `html`."""
    parsed = _ask(
        {
            "@type": "parseTextEntities",
            "text": html,
            "parse_mode": {"@type": "textParseModeHTML"},
        }
    )
    if parsed["@type"] == "error":
        raise ValueError(parsed["message"])
    text = parsed["text"]
    found = _ask({"@type": "getTextEntities", "text": text})["entities"]
    hidden = [e for e in parsed["entities"] if _kind(e) in {"TextUrl", "Code", "Pre", "PreCode"}]
    added = [e for e in found if not any(_overlap(e, other) for other in hidden)]
    return Message(text, _named(text, parsed["entities"]), _named(text, added))


def _named(text: str, entities: list[dict[str, Any]]) -> tuple[tuple[str, str, str], ...]:
    units = text.encode("utf-16-le")
    return tuple(
        (
            _kind(entity),
            units[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode(
                "utf-16-le"
            ),
            entity["type"].get("url", ""),
        )
        for entity in entities
    )


def _kind(entity: dict[str, Any]) -> str:
    return str(entity["type"]["@type"]).removeprefix("textEntityType")


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(
        one["offset"] < other["offset"] + other["length"]
        and other["offset"] < one["offset"] + one["length"]
    )


def _ask(request: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(tdjson.td_execute(json.dumps(request).encode()) or b"{}")
    return answer
