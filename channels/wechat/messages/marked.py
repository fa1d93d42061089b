"""An edition as WeCom's Markdown: version 1 with its font colours, version 2 with rules.

https://developer.work.weixin.qq.com/document/path/91770#markdown类型
"""

from __future__ import annotations

from collections.abc import Iterator

from channels.base import Edition
from channels.marked import Dialect, escape, link, paragraphs, quote
from channels.packing import Packed, Piece, pack
from channels.wechat.messages.cards import item_link
from distributor.digest.gist import by_source, edition_title, intro_text, item_title, source_of
from distributor.digest.labels import labels_for
from distributor.digest.model import Item
from distributor.digest.shorten import one_line, shorten_title

_DIALECT = Dialect()
_LINK_BYTES = 1_200
_TITLE_BYTES = 512


def marked_texts(edition: Edition, limit: int, *, version_2: bool, headlines: bool) -> Packed:
    """Contents of Markdown messages of at most `limit` bytes.

    `headlines`: number, title and link of each story alone.
    """
    pieces = [
        *_opening(edition, version_2),
        *_stories(edition, version_2, headlines),
        *_closing(edition),
    ]
    packed = pack(pieces, limit)
    noted = [
        warning
        for item in edition.digest.items
        for source in by_source(item)
        for warning in item_link(source, edition, _LINK_BYTES)[1]
    ]
    return Packed(packed.messages, (*packed.warnings, *noted))


def _opening(edition: Edition, version_2: bool) -> Iterator[Piece]:
    digest = edition.digest
    words = labels_for(digest.language)
    title = shorten_title(edition_title(digest, edition.publisher.name), _TITLE_BYTES)
    date = words.date(digest.date) if digest.date else ""
    if date and not version_2:
        date = f'<font color="comment">{date}</font>'
    read = link(words.full, edition.web_url)
    yield Piece("title", f"# {escape(title)}\n{' · '.join(filter(None, (date, read)))}")
    for line in intro_text(digest).splitlines():
        yield Piece("introduction", quote(escape(line), _DIALECT))


def _stories(edition: Edition, version_2: bool, headlines: bool) -> Iterator[Piece]:
    for item in edition.digest.items:
        for source in by_source(item):
            brief = _brief(source, edition)
            below = [] if headlines else list(_below(source, version_2))
            yield Piece(f"item {item.number}", "\n".join((brief, *below)), brief)


def _brief(item: Item, edition: Edition) -> str:
    url, _ = item_link(item, edition, _LINK_BYTES)
    title = shorten_title(item_title(item, edition.digest), _TITLE_BYTES)
    return f"**{item.number}.** {link(title, url)}"


def _below(item: Item, version_2: bool) -> Iterator[str]:
    source = " · ".join(filter(None, (one_line(item.author or ""), source_of(item))))
    if source:
        shown = escape(source)
        yield shown if version_2 else f'<font color="comment">{shown}</font>'
    yield from paragraphs(item.body, _DIALECT)


def _closing(edition: Edition) -> Iterator[Piece]:
    label = f"**{labels_for(edition.digest.language).commentary}**\n"
    for text in paragraphs(edition.digest.commentary, _DIALECT):
        yield Piece("commentary", label + text)
        label = ""
