"""What cards, articles and pictures say about an edition, in plain words."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from urllib.parse import urlsplit

from distributor.digest.labels import labels_for
from distributor.digest.model import Block, Digest, Item, Link, Paragraph
from distributor.digest.plain import block_text, inline_text
from distributor.digest.shorten import one_line, tidy


def edition_title(digest: Digest, publisher: str) -> str:
    """The edition's title on one line; without one, the publisher's name."""
    untitled = labels_for(digest.language).untitled
    return one_line(digest.title) or one_line(publisher) or untitled


def item_title(item: Item, digest: Digest) -> str:
    """The item's full title on one line; without one, its address."""
    title = one_line(inline_text(item.title))
    return title or one_line(item.url or "") or labels_for(digest.language).untitled


def by_source(item: Item) -> tuple[Item, ...]:
    """`item`, and the further sources that its body opens with, each as an item of its own.

    Such a source is a paragraph that is only a link. A card opens one address, so that its words
    would stay and its link would be lost.
    """
    further = [link for link in takewhile(bool, map(_only_link, item.body)) if link]
    first = replace(item, body=item.body[len(further) :])
    return (first, *(Item(item.number, link.children, link.url, ()) for link in further))


def item_text(item: Item) -> str:
    """The author's name where there is one, then the body, one paragraph a line."""
    return tidy(f"{item.author or ''}\n{block_text(item.body)}")


def intro_text(digest: Digest) -> str:
    """What stands before the items; without that, how many there are and on what."""
    intro = tidy(block_text(digest.intro))
    if intro or not digest.items:
        return intro
    count = labels_for(digest.language).stories.format(count=len(digest.items))
    return one_line(" · ".join((count, *digest.categories)))


def commentary_text(digest: Digest) -> str:
    """The editor's closing words, one paragraph a line; empty when there are none."""
    return tidy(block_text(digest.commentary))


def source_of(item: Item) -> str:
    """The host of a story's address as people read it; empty without a link."""
    try:
        return (urlsplit(item.url).hostname or "").removeprefix("www.") if item.url else ""
    except ValueError:
        return ""


def _only_link(block: Block) -> Link | None:
    match block:
        case Paragraph((Link() as link,)):
            return link
    return None
