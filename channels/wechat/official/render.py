"""An edition as the steps to an article, each a part whose result the next ones need.

A part's message id is the platform's name for what it made: the cover, each picture's new address,
the draft, the publication. They are in the ledger, so that a crash repeats one step at most.
"""

from __future__ import annotations

import base64
from typing import Any

from channels.base import Edition, Part, Rendering
from channels.drawing import subject_of
from channels.stories import require_content
from channels.wechat.account import WeChatAccount
from channels.wechat.article import limits
from channels.wechat.article.render import article
from channels.wechat.messages.limits import WEB_URL_BYTES
from distributor.digest.gist import edition_title, intro_text
from distributor.digest.shorten import one_line, shorten, shorten_title
from distributor.pictures import draw
from distributor.pictures.catalog import COVER

#: The steps that follow the draft, by how far the account takes an edition.
_AFTERWARDS = {"draft": (), "publish": ("publish", "published"), "mass": ("mass", "mass-sent")}


def render_article(edition: Edition, account: WeChatAccount) -> Rendering:
    """Upload the cover and the pictures, add the draft, and publish. Raises `RenderError`."""
    require_content(edition, WEB_URL_BYTES)
    made = article(edition, account.theme)
    title, short_title, warnings = _title(edition)
    steps: list[dict[str, Any]] = [
        {"step": "cover", "name": COVER, "base64": _cover(edition)},
        *({"step": "picture", "url": url} for url in made.pictures),
    ]
    steps.append(
        {
            "step": "draft",
            # Where in the content the address of which part belongs.
            "pictures": {url: number for number, url in enumerate(made.pictures, start=2)},
            "article": {
                "article_type": "news",
                "title": title,
                "author": shorten(
                    account.author or one_line(edition.publisher.name),
                    limits.AUTHOR_CHARACTERS,
                    len,
                ),
                "digest": shorten(
                    one_line(intro_text(edition.digest)), limits.SUMMARY_CHARACTERS, len
                ),
                "content": made.html,
                "content_source_url": edition.web_url,
                "need_open_comment": 0,
            },
            # For an account that refuses the title for its length in bytes.
            "short_title": short_title,
            "ends_here": account.publish == "draft",
        }
    )
    steps += (
        {"step": step, "source_url": edition.web_url} for step in _AFTERWARDS[account.publish]
    )
    parts = tuple(Part(number, step) for number, step in enumerate(steps, start=1))
    return Rendering(parts, (*warnings, *made.warnings))


def _title(edition: Edition) -> tuple[str, str, tuple[str, ...]]:
    """The title, the shorter one for an account that counts bytes, and what was cut."""
    whole = edition_title(edition.digest, edition.publisher.name)
    title = shorten_title(whole, limits.TITLE_CHARACTERS, len)
    warnings = (
        (f"The article's title is cut to {limits.TITLE_CHARACTERS} characters.",)
        if title != whole
        else ()
    )
    return title, shorten_title(title, limits.TITLE_BYTES), warnings


def _cover(edition: Edition) -> str:
    return base64.b64encode(draw(COVER, subject_of(edition))).decode()
