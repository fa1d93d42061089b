"""What a WeCom group robot accepts, in one table, and the check that every body passes.

Sizes are bytes of UTF-8. Source: WeCom developer centre, "群机器人配置说明",
https://developer.work.weixin.qq.com/document/path/91770. Texts over the limit are cut by the
platform in the middle of a letter, or refused with 45002; more articles are refused with 45008.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from channels.base import RenderError
from channels.wechat.text import utf8_length

NEWS_ARTICLES = 8
NEWS_TITLE_BYTES = 128
NEWS_DESCRIPTION_BYTES = 512
TEXT_BYTES = 2_048

#: WeCom names no limit for a robot's links. This is that of its application messages,
#: https://developer.work.weixin.qq.com/document/path/90236.
URL_BYTES = 2_048
#: `content_source_url` of an Official Account's article; kept for the edition's own address on
#: every target, so that one address serves them all.
#: https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Add_draft.html
WEB_URL_BYTES = 1_024

#: `content` of an Official Account's article must be shorter than this, in characters (same page).
ARTICLE_CHARACTERS = 20_000


def is_link(url: str, limit: int = URL_BYTES) -> bool:
    """Whether `url` can be the target of a card: http(s), with a host, within `limit` bytes."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    printable = url.isprintable() and " " not in url
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and printable
        and utf8_length(url) <= limit
    )


def validate(body: Mapping[str, Any]) -> None:
    """Raise `RenderError` unless the robot would accept the webhook body `body`."""
    match body:
        case {"msgtype": "news", "news": {"articles": [*articles]}}:
            _validate_articles(articles)
        case {"msgtype": "text", "text": {"content": str(content)}}:
            _require_text(content, "content", TEXT_BYTES)
        case _:
            raise RenderError("The message is of no kind that a group robot can post.")


def _validate_articles(articles: list[Mapping[str, str]]) -> None:
    if not 1 <= len(articles) <= NEWS_ARTICLES:
        raise RenderError(
            f"A news message holds 1 to {NEWS_ARTICLES} articles; this one has {len(articles)}."
        )
    for article in articles:
        _require_text(article["title"], "title", NEWS_TITLE_BYTES)
        if article.get("description"):
            _require_text(article["description"], "description", NEWS_DESCRIPTION_BYTES)
        if not is_link(article["url"]):
            raise RenderError(
                f"The article {article['title']!r} needs an http or https link "
                f"of at most {URL_BYTES:,} bytes."
            )


def _require_text(text: str, field: str, limit: int) -> None:
    if not text.strip():
        raise RenderError(f"The {field} of a message is empty.")
    if utf8_length(text) > limit:
        raise RenderError(
            f"A {field} takes {utf8_length(text):,} bytes; the limit is {limit:,}: {text[:40]!r}…"
        )
