"""An edition as plain text, which members on personal WeChat can read too."""

from __future__ import annotations

from collections.abc import Iterator

from channels.base import Edition
from channels.links import item_link
from channels.packing import Packed, Piece, pack
from channels.wechat.messages.limits import TEXT_BYTES
from distributor.digest.gist import (
    by_source,
    commentary_text,
    edition_title,
    intro_text,
    item_text,
    item_title,
)
from distributor.digest.labels import labels_for
from distributor.digest.model import Item
from distributor.digest.shorten import shorten_title, utf8_length

#: Leaves a title at least as much room as a card's description does.
_LINK_BYTES = 1_500


def full_texts(edition: Edition, *, headlines: bool = False) -> Packed:
    """Contents of text messages: title, introduction, each story with its link, commentary.

    `headlines`: number, title and link of each story alone.
    """
    stories = _stories(edition, headlines=headlines)
    return _packed(edition, [*_opening(edition), *stories, *_closing(edition)])


def headline_texts(edition: Edition) -> Packed:
    """Number, full title and link of every source, and nothing around them."""
    return _packed(edition, list(_stories(edition, headlines=True)))


def _packed(edition: Edition, pieces: list[Piece]) -> Packed:
    packed = pack(pieces, TEXT_BYTES)
    noted = [
        warning
        for item in edition.digest.items
        for source in by_source(item)
        for warning in item_link(source, edition, _LINK_BYTES)[1]
    ]
    return Packed(packed.messages, (*packed.warnings, *noted))


def _opening(edition: Edition) -> Iterator[Piece]:
    title = edition_title(edition.digest, edition.publisher.name)
    yield Piece("title", f"{shorten_title(title, 512)}\n{edition.web_url}")
    for line in intro_text(edition.digest).splitlines():
        yield Piece("introduction", line)


def _closing(edition: Edition) -> Iterator[Piece]:
    label = f"{labels_for(edition.digest.language).commentary}\n"
    for line in commentary_text(edition.digest).splitlines():
        yield Piece("commentary", label + line)
        label = ""


def _stories(edition: Edition, *, headlines: bool) -> Iterator[Piece]:
    for item in edition.digest.items:
        for source in by_source(item):
            brief = _brief(source, edition)
            text = "" if headlines else item_text(source)
            headline, _, url = brief.rpartition("\n")
            full = f"{headline}\n{text}\n{url}" if text else brief
            yield Piece(f"item {item.number}", full, brief)


def _brief(item: Item, edition: Edition) -> str:
    """Number, title and link; a title that leaves the link no room is cut."""
    url, _ = item_link(item, edition, _LINK_BYTES)
    room = TEXT_BYTES - utf8_length(url) - 1
    return f"{shorten_title(f'{item.number}. {item_title(item, edition.digest)}', room)}\n{url}"
