"""A long edition as text messages: number, full title and link of every source, and no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from channels.base import Edition
from channels.wechat.cards import item_link
from channels.wechat.content import by_source, item_title
from channels.wechat.limits import TEXT_BYTES
from channels.wechat.text import shorten_title, utf8_length
from distributor.digest.model import Item

#: Leaves a title at least as much room as a card's description does.
_LINK_BYTES = 1_500
_BETWEEN = "\n\n"


def headline_texts(edition: Edition) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The contents of text messages in order, each as full as it may be, and warnings."""
    sources = (source for item in edition.digest.items for source in by_source(item))
    entries = [_entry(source, edition) for source in sources]
    warnings = tuple(warning for _, noted in entries for warning in noted)
    return tuple(_packed(text for text, _ in entries)), warnings


def _entry(item: Item, edition: Edition) -> tuple[str, tuple[str, ...]]:
    title = item_title(item, edition.digest)
    url, warnings = item_link(item, edition, _LINK_BYTES)
    room = TEXT_BYTES - utf8_length(url) - 1
    headline = shorten_title(f"{item.number}. {title}", room)
    if not headline.endswith(title):
        warnings = (*warnings, f"Item {item.number}: its title is shown by its beginning.")
    return f"{headline}\n{url}", warnings


def _packed(entries: Iterable[str]) -> Iterator[str]:
    content = ""
    for entry in entries:
        longer = f"{content}{_BETWEEN}{entry}" if content else entry
        if utf8_length(longer) > TEXT_BYTES:
            yield content
            longer = entry
        content = longer
    yield content
