"""What cards, article and cover say about an edition, in plain words."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

from channels.base import Edition
from channels.wechat.text import one_line, tidy
from channels.wechat.words import words_for
from distributor.digest.model import Block, Digest, Item, Link, Paragraph
from distributor.digest.plain import block_text, inline_text


def edition_title(edition: Edition) -> str:
    """The edition's title on one line; without one, the publisher's name."""
    words = words_for(edition.digest.language)
    return one_line(edition.digest.title) or one_line(edition.publisher.name) or words.untitled


def item_title(item: Item, digest: Digest) -> str:
    """The item's full title on one line; without one, its address."""
    title = one_line(inline_text(item.title))
    return title or one_line(item.url or "") or words_for(digest.language).untitled


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
    count = words_for(digest.language).stories.format(count=len(digest.items))
    return one_line(" · ".join((count, *digest.categories)))


def commentary_text(digest: Digest) -> str:
    """The editor's closing words, one paragraph a line; empty when there are none."""
    return tidy(block_text(digest.commentary))


def _only_link(block: Block) -> Link | None:
    match block:
        case Paragraph((Link() as link,)):
            return link
    return None
