"""Shows a Telegram message from its text and entities, the way a client does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from markupsafe import Markup, escape

from distributor.sandbox.email_view import picture_url
from distributor.sandbox.store import Received

_SIMPLE = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strikethrough": "s",
    "code": "code",
    "pre": "pre",
}
_BLOCKS = frozenset({"pre", "blockquote", "expandable_blockquote"})
_SAFE_LINKS = ("http://", "https://", "tg://", "mailto:")
_FOLD = (
    '<blockquote class="fold"><input type="checkbox" aria-label="Show the whole quotation"><div>'
)


@dataclass(frozen=True, slots=True)
class Button:
    """A button below a message; `url` is empty when it is not a link."""

    text: str
    url: str
    #: What the bot is told when it is pressed.
    data: str = ""


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message in a chat."""

    id: int
    html: Markup
    at: datetime
    edited: bool
    pinned: bool
    #: Arrived without a sound.
    silent: bool
    #: Who wrote it to the bot; empty for the bot's own.
    person: str
    #: The address whose large preview stands above the words, or empty.
    preview: str
    #: The first words of the message that this one answers.
    reply_to: str
    #: A `data:` URL, or empty.
    picture: str
    buttons: tuple[tuple[Button, ...], ...]
    warnings: tuple[str, ...]


def bubble(message: Received, others: Mapping[int, Received]) -> Bubble:
    """`message` for the page; a message that it answers is looked for among `others`."""
    content = message.content
    text = content.get("text") or content.get("caption") or ""
    entities = content.get("entities") or content.get("caption_entities") or []
    replied = others.get(content.get("reply_to", 0))
    return Bubble(
        id=message.id,
        html=formatted(text, entities),
        at=message.at,
        edited="edit_date" in content,
        pinned=bool(content.get("pinned")),
        silent=bool(content.get("silent")),
        person=str(content.get("from_user", {}).get("first_name", "")),
        preview=_preview(content),
        reply_to=replied.summary if replied else "",
        picture=_picture(message),
        buttons=_buttons(content),
        warnings=message.warnings,
    )


def formatted(text: str, entities: Sequence[Mapping[str, Any]]) -> Markup:
    """`text` as HTML with Bot API `entities` (offsets in UTF-16 units), however they overlap."""
    units = text.encode("utf-16-le")
    spans = sorted(entities, key=lambda e: (e["offset"], -e["length"]))
    edges = {0, len(units) // 2}
    for span in spans:
        edges |= {span["offset"], span["offset"] + span["length"]}
    out = _Writer()
    for start, end in pairwise(sorted(edges)):
        active = [s for s in spans if s["offset"] <= start and end <= s["offset"] + s["length"]]
        out.reopen(active, text)
        out.write(units[2 * start : 2 * end].decode("utf-16-le", "replace"))
    out.reopen([], text)
    return Markup("").join(out.pieces)


class _Writer:
    """Collects HTML; keeps one line break off each side of a block, as Telegram shows it."""

    def __init__(self) -> None:
        self.pieces: list[Markup] = []
        self._open: list[Mapping[str, Any]] = []
        self._after_block = False

    def write(self, text: str) -> None:
        if self._after_block:
            text = text.removeprefix("\n")
        self._after_block = False
        self.pieces.append(escape(text))

    def reopen(self, wanted: list[Mapping[str, Any]], text: str) -> None:
        """Close what is not `wanted` any more and open what is new, properly nested."""
        same = 0
        while same < min(len(self._open), len(wanted)) and self._open[same] is wanted[same]:
            same += 1
        for span in reversed(self._open[same:]):
            self.pieces.append(_tags(span, text)[1])
            self._after_block = span["type"] in _BLOCKS
        for span in wanted[same:]:
            if span["type"] in _BLOCKS and self.pieces:
                self.pieces[-1] = Markup(self.pieces[-1].removesuffix("\n"))  # noqa: S704
            self.pieces.append(_tags(span, text)[0])
        self._open = wanted


def _tags(span: Mapping[str, Any], text: str) -> tuple[Markup, Markup]:
    """The opening and the closing HTML of one entity."""
    kind = span["type"]
    if kind in _SIMPLE:
        tag = _SIMPLE[kind]
        return Markup("<{}>").format(tag), Markup("</{}>").format(tag)
    if kind == "expandable_blockquote":
        return Markup(_FOLD), Markup("</div></blockquote>")  # noqa: S704 - a constant
    if kind == "blockquote":
        return Markup("<blockquote>"), Markup("</blockquote>")
    url = _target(span, text)
    if url:
        return Markup('<a href="{}" target="_blank">').format(url), Markup("</a>")
    return Markup('<span class="{}">').format(kind), Markup("</span>")


def _target(span: Mapping[str, Any], text: str) -> str:
    """Where a link leads; empty for what is no link or no safe one."""
    url = str(span.get("url", ""))
    if span["type"] in ("url", "email"):
        start, end = 2 * span["offset"], 2 * (span["offset"] + span["length"])
        written = text.encode("utf-16-le")[start:end].decode("utf-16-le", "replace")
        prefix = "mailto:" if span["type"] == "email" else "http://"
        url = written if "://" in written else prefix + written
    return url if url.lower().startswith(_SAFE_LINKS) else ""


def _picture(message: Received) -> str:
    if "photo" not in message.content or message.file is None or not message.file.is_file():
        return ""
    picture = message.file.read_bytes()
    return picture_url(picture, "image/png" if picture.startswith(b"\x89PNG") else "image/jpeg")


def _preview(content: Mapping[str, Any]) -> str:
    options = content.get("link_preview_options")
    url = str(options.get("url", "")) if isinstance(options, dict) else ""
    return url if url.lower().startswith(_SAFE_LINKS) else ""


def _buttons(content: Mapping[str, Any]) -> tuple[tuple[Button, ...], ...]:
    markup = content.get("reply_markup")
    rows = markup.get("inline_keyboard", []) if isinstance(markup, dict) else []
    return tuple(tuple(map(_button, row)) for row in rows if isinstance(row, list))


def _button(button: object) -> Button:
    fields = button if isinstance(button, dict) else {}
    url = str(fields.get("url", ""))
    safe = url if url.lower().startswith(_SAFE_LINKS) else ""
    return Button(str(fields.get("text", "")), safe, str(fields.get("callback_data", "")))
