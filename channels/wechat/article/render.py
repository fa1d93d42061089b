"""The article's HTML, as full as the platform takes it.

The content must stay under 20,000 characters. An edition that is too long loses, in this order
and no more than needed: decoration, the titles in the list of links, then text from the end of
each story, the introduction and the commentary. Titles and links of all items always stay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from markupsafe import Markup

from channels.base import Edition, RenderError
from channels.wechat.article import themes
from channels.wechat.article.limits import CONTENT_BYTES, CONTENT_CHARACTERS
from channels.wechat.article.markup import ArticleMarkup, Footnotes
from channels.wechat.article.themes import Theme
from distributor.digest.gist import item_title, source_of
from distributor.digest.labels import labels_for
from distributor.digest.model import Block, Item
from distributor.digest.plain import block_text
from distributor.digest.shorten import shorten, tidy, utf8_length


class Detail(IntEnum):
    """How much an article shows besides titles, texts and links."""

    #: Addresses alone in the list of links.
    ADDRESSES = 0
    #: And titles beside them.
    LINK_TITLES = 1
    #: And chips, rules and spacing.
    DECORATED = 2


@dataclass(frozen=True, slots=True)
class Form:
    """One step of shortening."""

    detail: Detail
    #: Most characters of an item's text; None for all of it, with its markup.
    item_characters: int | None = None
    #: The same for the introduction and for the commentary.
    prose_characters: int | None = None


#: From the fullest to the barest.
_FORMS = (
    Form(Detail.DECORATED),
    Form(Detail.LINK_TITLES),
    Form(Detail.ADDRESSES),
    *(Form(Detail.ADDRESSES, most, most * 10) for most in (400, 250, 150, 80, 40)),
    Form(Detail.ADDRESSES, 0, 200),
)


@dataclass(frozen=True, slots=True)
class Article:
    """The content of an Official Account's article."""

    #: A bare `<section>`, under 20,000 characters.
    html: str
    #: Addresses of the pictures in it, which the platform shows only when they are its own.
    pictures: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Story:
    number: int
    title: Markup
    #: The footnote of its link, or None.
    footnote: int | None
    source: str
    #: The section's name where a new one begins, else empty.
    section: str
    body: Markup


def article(edition: Edition, theme_name: str) -> Article:
    """The fullest article that the platform takes.

    Raises `RenderError` when titles and links alone are too long for one article, or the theme
    cannot be used.
    """
    theme = themes.load(theme_name, edition.templates)
    for form in _FORMS:
        found = _fragment(edition, form, theme)
        if len(found.html) < CONTENT_CHARACTERS and utf8_length(found.html) < CONTENT_BYTES:
            return found
    raise RenderError(
        f"Titles and links of {len(edition.digest.items)} items take {len(found.html):,} "
        f"characters; an article must stay under {CONTENT_CHARACTERS:,}. Split the edition."
    )


def _fragment(edition: Edition, form: Form, theme: Theme) -> Article:
    digest = edition.digest
    markup = ArticleMarkup(theme, Footnotes(), {})
    # Rendered in reading order, so that footnotes are numbered as they are met.
    intro = _body(digest.intro, form.prose_characters, markup)
    stories = _stories(edition, form, markup)
    commentary = _body(digest.commentary, form.prose_characters, markup)
    html = edition.templates.render(
        "wechat/article.html.j2",
        words=labels_for(digest.language),
        direction=digest.direction,
        intro=intro,
        stories=stories,
        commentary=commentary,
        footnotes=list(markup.footnotes),
        theme=theme,
        decorated=form.detail >= Detail.DECORATED,
        link_titles=form.detail >= Detail.LINK_TITLES,
    )
    # The template's line ends are layout; those of the text have become spaces and breaks.
    fragment = re.sub(r"\n\s*", "", html)
    return Article(fragment, tuple(markup.pictures), _warnings(form))


def _stories(edition: Edition, form: Form, markup: ArticleMarkup) -> list[_Story]:
    stories = []
    section: str | None = None
    for item in edition.digest.items:
        opens_section = item.section if item.section != section else None
        section = item.section
        stories.append(_story(item, opens_section or "", edition, form, markup))
    return stories


def _story(item: Item, section: str, edition: Edition, form: Form, markup: ArticleMarkup) -> _Story:
    plain_title = item_title(item, edition.digest)
    footnote = markup.footnotes.number(item.url, plain_title) if item.url else None
    return _Story(
        number=item.number,
        title=Markup("{}").format(plain_title),
        footnote=footnote,
        source=" · ".join(filter(None, (item.author, source_of(item)))),
        section=section,
        body=_body(item.body, form.item_characters, markup),
    )


def _body(blocks: tuple[Block, ...], most: int | None, markup: ArticleMarkup) -> Markup:
    if most is None:
        return markup.blocks(blocks)
    text = shorten(tidy(block_text(blocks)), most, len) if most else ""
    return Markup("").join(markup.paragraph(line) for line in text.splitlines())


def _warnings(form: Form) -> tuple[str, ...]:
    if form.item_characters is not None:
        return (
            f"The article is over {CONTENT_CHARACTERS:,} characters: each story is cut to "
            f"{form.item_characters} characters; titles and links are all there.",
        )
    if form.detail < Detail.DECORATED:
        return (f"The article is near {CONTENT_CHARACTERS:,} characters: it is less decorated.",)
    return ()
