"""Pages around an article: one to look at it, one to copy it from."""

from __future__ import annotations

from markupsafe import Markup

from channels.base import Edition, RenderError
from channels.wechat.article.render import Article, article
from distributor.digest.gist import edition_title
from distributor.digest.labels import labels_for


def article_page(edition: Edition, theme: str) -> str:
    """A whole page that shows the article as a reader meets it, 677 px wide at most.

    When there can be no article the page says why.
    """
    return _page("wechat/article-page.html.j2", edition, theme)


def copy_page(edition: Edition, theme: str) -> str:
    """The article with a button that puts it into the clipboard as rich text.

    For pasting it into the editor of an Official Account by hand.
    """
    return _page("wechat/copy-page.html.j2", edition, theme)


def _page(template: str, edition: Edition, theme: str) -> str:
    words = labels_for(edition.digest.language)
    try:
        shown = article(edition, theme)
    except RenderError as error:
        shown = Article("", warnings=(str(error),))
    date = edition.digest.date
    return edition.templates.render(
        template,
        digest=edition.digest,
        title=edition_title(edition.digest, edition.publisher.name),
        publisher=edition.publisher.name,
        date=words.date(date) if date else "",
        web_url=edition.web_url,
        content=Markup(shown.html),  # noqa: S704 (rendered by an escaping template)
        characters=len(shown.html),
        warnings=shown.warnings,
    )
