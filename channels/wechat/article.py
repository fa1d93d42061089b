"""The article of an Official Account: HTML that survives the platform's editor.

The content must stay under 20,000 characters. An edition that is too long loses, in this order
and no more than needed: decoration, the titles in the list of links, then text from the end of
each story, the introduction and the commentary. Titles and links of all items always stay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from urllib.parse import urlsplit

from markupsafe import Markup

from channels.base import Edition, RenderError
from channels.wechat.content import edition_title, item_title
from channels.wechat.limits import ARTICLE_CHARACTERS
from channels.wechat.markup import ArticleMarkup, Footnotes
from channels.wechat.text import shorten, tidy
from channels.wechat.words import words_for
from distributor.digest.model import Block, Item
from distributor.digest.plain import block_text


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


def article(edition: Edition) -> Article:
    """The fullest article that the platform takes.

    Raises `RenderError` when titles and links alone are too long for one article.
    """
    for form in _FORMS:
        html = _fragment(edition, form)
        if len(html) < ARTICLE_CHARACTERS:
            return Article(html, _warnings(form))
    raise RenderError(
        f"Titles and links of {len(edition.digest.items)} items take {len(html):,} characters; "
        f"an article must stay under {ARTICLE_CHARACTERS:,}. Split the edition."
    )


def article_page(edition: Edition) -> str:
    """A whole page that shows the article as a reader meets it, 677 px wide at most.

    When there can be no article the page says why.
    """
    words = words_for(edition.digest.language)
    try:
        shown = article(edition)
    except RenderError as error:
        shown = Article("", (str(error),))
    date = edition.digest.date
    return edition.templates.render(
        "wechat/article-page.html.j2",
        digest=edition.digest,
        title=edition_title(edition),
        publisher=edition.publisher.name,
        date=words.date(date) if date else "",
        content=Markup(shown.html),  # noqa: S704 (rendered by an escaping template)
        warnings=shown.warnings,
    )


def _fragment(edition: Edition, form: Form) -> str:
    digest = edition.digest
    footnotes = Footnotes()
    markup = ArticleMarkup(edition.templates.look["light"], footnotes)
    # Rendered in reading order, so that footnotes are numbered as they are met.
    intro = _body(digest.intro, form.prose_characters, markup)
    stories = _stories(edition, form, markup)
    commentary = _body(digest.commentary, form.prose_characters, markup)
    html = edition.templates.render(
        "wechat/article.html.j2",
        words=words_for(digest.language),
        direction=digest.direction,
        intro=intro,
        stories=stories,
        commentary=commentary,
        footnotes=list(footnotes),
        decorated=form.detail >= Detail.DECORATED,
        link_titles=form.detail >= Detail.LINK_TITLES,
    )
    # The template's line ends are layout; those of the text have become spaces and breaks.
    return re.sub(r"\n\s*", "", html)


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
        source=" · ".join(filter(None, (item.author, _host(item.url)))),
        section=section,
        body=_body(item.body, form.item_characters, markup),
    )


def _body(blocks: tuple[Block, ...], most: int | None, markup: ArticleMarkup) -> Markup:
    if most is None:
        return markup.blocks(blocks)
    text = shorten(tidy(block_text(blocks)), most, len) if most else ""
    return Markup("").join(markup.paragraph(line) for line in text.splitlines())


def _host(url: str | None) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.") if url else ""


def _warnings(form: Form) -> tuple[str, ...]:
    if form.item_characters is not None:
        return (
            f"The article is over {ARTICLE_CHARACTERS:,} characters: each story is cut to "
            f"{form.item_characters} characters; titles and links are all there.",
        )
    if form.detail < Detail.DECORATED:
        return (f"The article is near {ARTICLE_CHARACTERS:,} characters: it is less decorated.",)
    return ()
