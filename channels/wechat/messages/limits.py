"""What WeCom's robots and apps accept, in one table, and the check that every body passes.

Sizes are bytes of UTF-8. Source: WeCom developer centre, "群机器人配置说明",
https://developer.work.weixin.qq.com/document/path/91770, and "发送应用消息",
https://developer.work.weixin.qq.com/document/path/90236. Texts over the limit are cut by the
platform in the middle of a letter, or refused with 45002; more articles are refused with 45008.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from channels.base import RenderError
from channels.links import is_link
from distributor.digest.shorten import utf8_length

NEWS_ARTICLES = 8
NEWS_TITLE_BYTES = 128
NEWS_DESCRIPTION_BYTES = 512
TEXT_BYTES = 2_048
IMAGE_BYTES = 2 * 1024 * 1024

#: WeCom names no limit for a robot's links. This is that of its application messages.
URL_BYTES = 2_048
#: `content_source_url` of an Official Account's article; kept for the edition's own address on
#: every target, so that one address serves them all.
#: https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Add_draft.html
WEB_URL_BYTES = 1_024


@dataclass(frozen=True, slots=True)
class Target:
    """Who posts, with what only they may."""

    #: In an error message.
    name: str
    #: Longest Markdown message.
    markdown_bytes: int
    has_markdown_v2: bool
    #: Pictures travel inside the message.
    has_inline_images: bool


ROBOT = Target("group robot", 4_096, has_markdown_v2=True, has_inline_images=True)
APP = Target("app", 2_048, has_markdown_v2=False, has_inline_images=False)


def validate(body: Mapping[str, Any], target: Target = ROBOT) -> None:
    """Raise `RenderError` unless the target may post the message `body`."""
    match body:
        case {"msgtype": "news", "news": {"articles": [*articles]}}:
            _validate_articles(articles)
        case {"msgtype": "text", "text": {"content": str(content)}}:
            _require_text(content, "content", TEXT_BYTES)
        case {"msgtype": "markdown", "markdown": {"content": str(content)}}:
            _require_text(content, "content", target.markdown_bytes)
        case {"msgtype": "markdown_v2", "markdown_v2": {"content": str(content)}} if (
            target.has_markdown_v2
        ):
            _require_text(content, "content", target.markdown_bytes)
        case {"msgtype": "image", "image": {"base64": str(encoded), "md5": str(md5)}} if (
            target.has_inline_images
        ):
            _validate_image(encoded, md5)
        case _:
            raise RenderError(f"The message is of no kind that a {target.name} can post.")


def _validate_articles(articles: list[Mapping[str, str]]) -> None:
    if not 1 <= len(articles) <= NEWS_ARTICLES:
        raise RenderError(
            f"A news message holds 1 to {NEWS_ARTICLES} articles; this one has {len(articles)}."
        )
    for article in articles:
        _require_text(article["title"], "title", NEWS_TITLE_BYTES)
        if article.get("description"):
            _require_text(article["description"], "description", NEWS_DESCRIPTION_BYTES)
        for field in ("url", *(("picurl",) if "picurl" in article else ())):
            if not is_link(article[field], URL_BYTES):
                raise RenderError(
                    f"The {field} of the article {article['title']!r} must be an http or https "
                    f"link of at most {URL_BYTES:,} bytes."
                )


def _validate_image(encoded: str, md5: str) -> None:
    content = base64.b64decode(encoded)
    if len(content) > IMAGE_BYTES:
        raise RenderError(
            f"The picture takes {len(content):,} bytes; the limit is {IMAGE_BYTES:,}."
        )
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise RenderError("The picture's MD5 is not that of its bytes.")


def _require_text(text: str, field: str, limit: int) -> None:
    if not text.strip():
        raise RenderError(f"The {field} of a message is empty.")
    if utf8_length(text) > limit:
        raise RenderError(
            f"A {field} takes {utf8_length(text):,} bytes; the limit is {limit:,}: {text[:40]!r}…"
        )
