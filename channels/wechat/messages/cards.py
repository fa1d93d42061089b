"""An edition as the cards of WeCom `news` messages.

Their pictures are those that `distributor web` serves below the edition's own address.
"""

from __future__ import annotations

from dataclasses import dataclass

from channels.base import Edition
from channels.links import item_link
from channels.wechat.messages.limits import (
    NEWS_DESCRIPTION_BYTES,
    NEWS_TITLE_BYTES,
    URL_BYTES,
)
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
from distributor.digest.shorten import shorten, shorten_title, utf8_length
from distributor.pictures.catalog import CARD, THUMB, story_picture, tile_picture

#: Fewer bytes of text than this below a long title would say nothing.
_LEAST_TEXT = 60


@dataclass(frozen=True, slots=True)
class Card:
    """One article of a `news` message, within the platform's limits."""

    #: What it shows, in an operator's words: `introduction`, `item 3`, `commentary`.
    name: str
    title: str
    description: str
    url: str
    #: The large picture where the card leads a message, and the small one where it follows.
    pictures: tuple[str, str]
    #: The description is only the beginning of the text.
    shortened: bool
    #: What an operator should know about this card beyond that.
    warnings: tuple[str, ...] = ()

    def article(self, *, leads: bool) -> dict[str, str]:
        """The article as WeCom takes it; the one that `leads` its message shows in large."""
        return {
            "title": self.title,
            "description": self.description,
            "url": self.url,
            "picurl": self.pictures[0 if leads else 1],
        }


def item_cards(edition: Edition) -> tuple[Card, ...]:
    """A card for each source of each item, in their order."""
    sources = (source for item in edition.digest.items for source in by_source(item))
    return tuple(item_card(source, edition) for source in sources)


def lead_card(edition: Edition) -> Card:
    """The edition itself: its title and the beginning of its introduction.

    For an edition of prose this card is all: a group reads one card and opens the rest, while
    its whole text in half a dozen messages would push away what people wrote.
    """
    intro = intro_text(edition.digest)
    title, description, shortened = _titled(
        "", edition_title(edition.digest, edition.publisher.name), intro
    )
    return Card(
        "introduction", title, description, edition.web_url, _edition_pictures(edition), shortened
    )


def item_card(item: Item, edition: Edition) -> Card:
    """One story, numbered, that opens its source.

    The full title is always in the card: one that is longer than a card's title may be is cut
    there and opens the description.
    """
    title = item_title(item, edition.digest)
    url, warnings = item_link(item, edition, URL_BYTES)
    visible, description, shortened = _titled(f"{item.number}. ", title, item_text(item))
    if utf8_length(title) > NEWS_DESCRIPTION_BYTES:
        reason = f"Item {item.number}: its title is longer than {NEWS_DESCRIPTION_BYTES} bytes"
        warnings = (*warnings, f"{reason} and is shown by its beginning.")
    base = edition.web_url.rstrip("/")
    pictures = (
        f"{base}/{story_picture(item.number)}",
        f"{base}/{tile_picture(item.number)}",
    )
    return Card(f"item {item.number}", visible, description, url, pictures, shortened, warnings)


def closing_cards(edition: Edition) -> tuple[Card, ...]:
    """The commentary as a card with its first words as title, or nothing when there is none."""
    text = commentary_text(edition.digest)
    if not text:
        return ()
    words = labels_for(edition.digest.language)
    title = shorten(words.commentary + words.colon + text.splitlines()[0], NEWS_TITLE_BYTES)
    description, shortened = _fit(text, NEWS_DESCRIPTION_BYTES)
    pictures = _edition_pictures(edition)
    return (Card("commentary", title, description, edition.web_url, pictures, shortened),)


def full_text_card(edition: Edition) -> Card:
    """The last card of a brief: it leads to the whole edition and says how much that is."""
    digest, words = edition.digest, labels_for(edition.digest.language)
    count = words.stories.format(count=len(digest.items))
    title = shorten(f"{words.full} · {count}", NEWS_TITLE_BYTES)
    description, _ = _fit(intro_text(digest), NEWS_DESCRIPTION_BYTES)
    pictures = _edition_pictures(edition)
    return Card("full text", title, description, edition.web_url, pictures, shortened=False)


def _edition_pictures(edition: Edition) -> tuple[str, str]:
    base = edition.web_url.rstrip("/")
    return f"{base}/{CARD}", f"{base}/{THUMB}"


def _titled(prefix: str, title: str, text: str) -> tuple[str, str, bool]:
    """Title and description of a card, and whether `text` is cut in it."""
    full = prefix + title
    visible = shorten_title(full, NEWS_TITLE_BYTES)
    if visible == full:
        return visible, *_fit(text, NEWS_DESCRIPTION_BYTES)
    return visible, *_fit_below(title, text)


def _fit_below(title: str, text: str) -> tuple[str, bool]:
    """The full title and below it as much of `text` as a description still holds."""
    room = NEWS_DESCRIPTION_BYTES - utf8_length(title) - 1
    if not text or room < _LEAST_TEXT:
        return shorten(title, NEWS_DESCRIPTION_BYTES), bool(text)
    below, shortened = _fit(text, room)
    return f"{title}\n{below}", shortened


def _fit(text: str, limit: int) -> tuple[str, bool]:
    fitted = shorten(text, limit)
    return fitted, fitted != text
