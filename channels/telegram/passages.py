"""The passages of an edition in each style, from its structure and the templates."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from markupsafe import Markup

from channels.base import Edition
from channels.telegram import parser
from channels.telegram.account import Style
from channels.telegram.hashtags import hashtags
from channels.telegram.headline import Headline, words
from channels.telegram.layout import Passage, messages
from channels.telegram.limits import CAPTION
from channels.telegram.markup import clean, fragments
from channels.telegram.styled import Fragment
from distributor.digest.model import Item

#: With more items than this, readers get headlines and a link to the rest.
MOST_FULL_ITEMS = 30
#: So many messages the headlines of more items may take.
MOST_HEADLINE_PARTS = 3


def texts(
    edition: Edition, style: Style, *, has_web_button: bool, has_title: bool = True
) -> tuple[list[str], int]:
    """The markup of each message, and how many items there was no room for.

    `has_title`: false where the title stands elsewhere, below a photo.
    """
    items = edition.digest.items
    if len(items) > MOST_FULL_ITEMS:
        return _shortened(edition, has_title=has_title)
    post = _Post(edition, style, has_web_button=has_web_button, has_title=has_title)
    if style == "headlines" and items:
        return post.lay_out([*post.beginning(), *post.headlines(items)]), 0
    return post.lay_out(list(post.everything())), 0


def caption(edition: Edition) -> str:
    """Title and hashtags alone, for below a photo; the title alone where both are too long."""
    digest = edition.digest
    for tags in (hashtags(digest.categories), []):
        markup = edition.templates.render(
            "telegram/_title.html.j2", title=words(digest.title), hashtags=tags
        ).strip()
        if parser.cost(markup).fits(CAPTION):
            break
    return markup


def _shortened(edition: Edition, *, has_title: bool) -> tuple[list[str], int]:
    """Headlines in at most `MOST_HEADLINE_PARTS` messages."""
    items = edition.digest.items

    def lay_out(keep: int) -> list[str]:
        left_out = len(items) - keep
        post = _Post(edition, "headlines", has_title=has_title, left_out=left_out)
        return post.lay_out([*post.beginning(has_intro=False), *post.headlines(items[:keep])])

    def count(keep: int) -> int:
        return len(lay_out(keep))

    kept = bisect_right(range(1, len(items) + 1), MOST_HEADLINE_PARTS, key=count)
    return lay_out(kept), len(items) - kept


class _Post:
    """Fills the templates of one edition."""

    def __init__(
        self,
        edition: Edition,
        style: Style,
        *,
        has_web_button: bool = False,
        has_title: bool = True,
        left_out: int = 0,
    ) -> None:
        self._edition = edition
        self._has_title = has_title
        self._is_folded = style != "full"
        self._common: dict[str, Any] = {
            "style": style,
            "language": language_of(edition),
            "web_url": "" if has_web_button else clean(edition.web_url),
            "web_linkable": bool(edition.web_url) and parser.linkable(edition.web_url),
            "left_out": left_out,
        }

    def everything(self) -> Iterator[Passage]:
        """Header, every item with its body, commentary."""
        digest = self._edition.digest
        yield from self.beginning()
        for section, items in groupby(digest.items, key=lambda item: item.section):
            for place, item in enumerate(items):
                yield self._item(item, section if place == 0 else None)
        commentary = fragments(digest.commentary, inside_quote=True)
        if commentary:
            yield self._passage("commentary", commentary)

    def beginning(self, *, has_intro: bool = True) -> Iterator[Passage]:
        """Title, hashtags and intro, as far as there is any of them."""
        digest = self._edition.digest
        intro = fragments(digest.intro, inside_quote=False) if has_intro else ()
        title = words(digest.title) if self._has_title else Markup("")
        tags = hashtags(digest.categories) if self._has_title else []
        if title or intro:
            yield self._passage("header", intro, title=title, hashtags=tags)

    def headlines(self, items: Sequence[Item]) -> Iterator[Passage]:
        """A passage of linked headlines for each section."""
        for section, group in groupby(items, key=lambda item: item.section):
            lines = tuple(Headline.of(item).line(item.number) for item in group)
            yield self._passage("headlines", lines, section=words(section or ""))

    def lay_out(self, passages: list[Passage]) -> list[str]:
        """The messages that hold `passages`."""

        def fill(bodies: Sequence[Markup], number: int, total: int) -> str:
            return self._fill("message", passages=bodies, number=number, total=total)

        return messages(passages, fill)

    def _item(self, item: Item, section: str | None) -> Passage:
        headline = Headline.of(item)
        body = fragments(item.body, inside_quote=self._is_folded)
        return self._passage(
            "item",
            (*headline.overflow, *body),
            section=words(section or ""),
            number=item.number,
            title=headline.title if headline.url else words(headline.title),
            url=headline.url,
            address=words(headline.address),
            author=words(item.author or ""),
        )

    def _passage(self, name: str, inner: tuple[Fragment, ...], **values: object) -> Passage:
        """The passage of template `name` around the fragments `inner`."""

        def fill(opening: bool, paragraphs: Sequence[Markup]) -> str:
            return self._fill(name, opening=opening, paragraphs=paragraphs, **values)

        return Passage(fill, inner, is_heading=name == "header" and not inner)

    def _fill(self, name: str, **values: object) -> str:
        template = f"telegram/{name}.html.j2"
        return self._edition.templates.render(template, **self._common, **values)


def language_of(edition: Edition) -> str:
    """The language of the fixed words, without its region."""
    return edition.digest.language.split("-")[0].lower()
