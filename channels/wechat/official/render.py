"""An edition as the steps to an article, each a part whose result the next ones need.

A part's message id is the platform's name for what it made: the cover, each picture's new address,
the draft, the publication. They are in the ledger, so that a crash repeats one step at most.
"""

from __future__ import annotations

import base64
from typing import Any

from channels.base import Edition, Part, Rendering
from channels.wechat.account import WeChatAccount
from channels.wechat.article import limits
from channels.wechat.article.render import article
from channels.wechat.messages.render import require_content
from distributor.digest.gist import edition_title, intro_text
from distributor.digest.shorten import one_line, shorten, shorten_title, utf8_length
from distributor.pictures import Subject, draw

#: The steps that follow the draft, by how far the account takes an edition.
_AFTERWARDS = {"draft": (), "publish": ("publish", "published"), "mass": ("mass", "mass-sent")}


def render_article(edition: Edition, account: WeChatAccount) -> Rendering:
    """Upload the cover and the pictures, add the draft, and publish. Raises `RenderError`."""
    require_content(edition)
    made = article(edition, account.theme)
    title, warnings = _title(edition)
    steps: list[dict[str, Any]] = [
        {"step": "cover", "name": "cover.png", "base64": _cover(edition)},
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
            "ends_here": account.publish == "draft",
        }
    )
    steps += (
        {"step": step, "source_url": edition.web_url} for step in _AFTERWARDS[account.publish]
    )
    parts = tuple(Part(number, step) for number, step in enumerate(steps, start=1))
    return Rendering(parts, (*warnings, *made.warnings))


def _title(edition: Edition) -> tuple[str, tuple[str, ...]]:
    title = edition_title(edition.digest, edition.publisher.name)
    in_characters = shorten_title(title, limits.TITLE_CHARACTERS, len)
    fitted = shorten_title(in_characters, limits.TITLE_BYTES)
    if fitted == title:
        return title, ()
    return fitted, (
        f"The article's title is cut to {len(fitted)} characters ({utf8_length(fitted)} bytes): "
        f"an Official Account takes {limits.TITLE_CHARACTERS} ({limits.TITLE_BYTES} bytes).",
    )


def _cover(edition: Edition) -> str:
    look = edition.templates.look["light"]
    subject = Subject(edition.digest, edition.publisher.name, edition.web_url, look)
    return base64.b64encode(draw("cover.png", subject)).decode()
