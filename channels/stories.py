"""An edition as pieces of Markdown for chat robots: what each platform's dialect then packs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from channels.base import Edition, RenderError
from channels.links import is_link, item_link
from channels.marked import Dialect, escape, link, paragraphs, quote
from channels.packing import Packed, Piece, pack
from distributor.digest.gist import by_source, edition_title, intro_text, item_title, source_of
from distributor.digest.labels import labels_for
from distributor.digest.model import Item
from distributor.digest.shorten import one_line, shorten_title, utf8_length

_LINK_BYTES = 1_200
_TITLE_BYTES = 400


def require_content(edition: Edition, most_url_bytes: int) -> None:
    """Raise `RenderError` unless there is something to send and an address to open."""
    digest = edition.digest
    if not (digest.items or digest.intro or digest.commentary):
        raise RenderError("The edition has no items and no text, so there is nothing to send.")
    if not is_link(edition.web_url, most_url_bytes):
        raise RenderError(
            "Messages open the web edition, so it needs an http or https address of at most "
            f"{most_url_bytes:,} bytes; {edition.web_url[:80]!r} is none. "
            "Check the public address in the settings."
        )


@dataclass(frozen=True, slots=True)
class Style:
    """How one platform wants its messages."""

    dialect: Dialect
    #: Most that a message may measure, and by which measure.
    limit: int
    measure: Callable[[str], int] = utf8_length
    #: Makes dates and sources stand back.
    muted: Callable[[str], str] = str
    #: The title stands in the text; elsewhere the message has a place of its own for it.
    has_title: bool = True


def marked_messages(edition: Edition, style: Style, *, headlines: bool = False) -> Packed:
    """Title, introduction, each story with its link, and the commentary, in as few messages as
    hold them without cutting a story.

    `headlines`: number, title and link of each story alone.
    """
    sources = [source for item in edition.digest.items for source in by_source(item)]
    pieces = [
        *_opening(edition, style),
        *(_story(source, edition, style, headlines) for source in sources),
        *_closing(edition, style),
    ]
    packed = pack(pieces, style.limit, measure=style.measure)
    noted = [
        warning for source in sources for warning in item_link(source, edition, _LINK_BYTES)[1]
    ]
    return Packed(packed.messages, (*packed.warnings, *noted))


def _opening(edition: Edition, style: Style) -> Iterator[Piece]:
    digest = edition.digest
    words = labels_for(digest.language)
    title = shorten_title(edition_title(digest, edition.publisher.name), _TITLE_BYTES)
    date = style.muted(words.date(digest.date)) if digest.date else ""
    below = " · ".join(filter(None, (date, link(words.full, edition.web_url))))
    heading = f"# {escape(title)}{style.dialect.paragraph}" if style.has_title else ""
    yield Piece("title", heading + below)
    for line in intro_text(digest).splitlines():
        yield Piece("introduction", quote(escape(line), style.dialect))


def _story(item: Item, edition: Edition, style: Style, headlines: bool) -> Piece:
    brief = _brief(item, edition, style)
    if headlines:
        return Piece(f"item {item.number}", brief, brief)
    source = " · ".join(filter(None, (one_line(item.author or ""), source_of(item))))
    head = f"{brief}{style.dialect.newline}{style.muted(escape(source))}" if source else brief
    text = style.dialect.paragraph.join((head, *paragraphs(item.body, style.dialect)))
    return Piece(f"item {item.number}", text, brief)


def _brief(item: Item, edition: Edition, style: Style) -> str:
    """Number, title and link, which fit a message whatever characters they are of."""
    url, _ = item_link(item, edition, _LINK_BYTES)
    title = shorten_title(item_title(item, edition.digest), _TITLE_BYTES)
    brief = f"**{item.number}.** {link(title, url)}"
    if style.measure(brief) <= style.limit:
        return brief
    return f"**{item.number}.** {link(shorten_title(title, _TITLE_BYTES // 4), edition.web_url)}"


def _closing(edition: Edition, style: Style) -> Iterator[Piece]:
    label = f"**{labels_for(edition.digest.language).commentary}**{style.dialect.paragraph}"
    for text in paragraphs(edition.digest.commentary, style.dialect):
        yield Piece("commentary", label + text)
        label = ""
