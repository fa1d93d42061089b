"""Shows a robot's or an app's message the way WeCom does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markupsafe import Markup

from distributor.sandbox.local_pictures import Pictures, no_pictures
from distributor.sandbox.store import Received

#: Inline HTML stays text: only WeCom's three font colours are let through afterwards. Pictures stay
#: links: the page fetches nothing.
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable("image")
_MARKDOWN_V2 = (
    MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table").disable("image")
)
_FONT = re.compile(
    r"&lt;font color=(?:&quot;|')(info|comment|warning)(?:&quot;|')&gt;(.*?)&lt;/font&gt;",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Article:
    """One entry of a news card."""

    title: str
    description: str
    url: str
    #: Where the picture comes from, which is shown when the picture itself cannot be.
    picture_host: str
    #: The picture as a data address, or empty.
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A template card."""

    source: str
    title: str
    description: str
    emphasis: str
    picture_host: str
    url: str
    rows: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Post:
    """One message in a group; exactly one of the forms is set."""

    at: datetime
    warnings: tuple[str, ...]
    html: Markup | None = None
    picture: str = ""
    articles: tuple[Article, ...] = ()
    notice: Notice | None = None


def post(message: Received, pictures: Pictures = no_pictures) -> Post:
    """`message` for the page, with those of its pictures that are at hand."""
    kind = message.content["msgtype"]
    content: Mapping[str, Any] = message.content[kind]
    at, warnings = message.at, message.warnings
    match kind:
        case "news":
            return Post(
                at, warnings, articles=tuple(_article(one, pictures) for one in content["articles"])
            )
        case "template_card":
            return Post(at, warnings, notice=_notice(content))
        case "image":
            return Post(at, warnings, picture=_picture(content["base64"]))
        case "text":
            return Post(at, warnings, html=_plain(content["content"]))
    return Post(at, warnings, html=_marked_down(content["content"], version_2=kind != "markdown"))


def sender_name(address: str) -> str:
    """A robot without its key, which is its password; of an app, whom it wrote to."""
    if address.startswith("app:"):
        return f"App → {address.removeprefix('app:')}"
    return f"Robot …{address[-4:]}"


def _plain(text: str) -> Markup:
    return Markup('<div class="plain">{}</div>').format(text)


def _marked_down(text: str, *, version_2: bool) -> Markup:
    if version_2:
        return Markup(_MARKDOWN_V2.render(text))  # noqa: S704 - raw HTML is off
    html = _MARKDOWN.render(text)
    return Markup(_FONT.sub(r'<span class="font-\1">\2</span>', html))  # noqa: S704


def _article(article: Mapping[str, Any], pictures: Pictures) -> Article:
    return Article(
        title=article["title"],
        description=str(article.get("description") or ""),
        url=article["url"],
        picture_host=host_of(article.get("picurl")),
        picture=pictures(str(article.get("picurl") or "")),
    )


def _notice(card: Mapping[str, Any]) -> Notice:
    title, emphasis = card.get("main_title") or {}, card.get("emphasis_content") or {}
    vertical = [(r.get("title"), r.get("desc")) for r in card.get("vertical_content_list") or []]
    horizontal = [
        (r.get("keyname"), r.get("value")) for r in card.get("horizontal_content_list") or []
    ]
    return Notice(
        source=str((card.get("source") or {}).get("desc") or ""),
        title=str(title.get("title") or ""),
        description=str(title.get("desc") or card.get("sub_title_text") or ""),
        emphasis=str(emphasis.get("title") or ""),
        picture_host=host_of((card.get("card_image") or {}).get("url")),
        url=_link((card.get("card_action") or {}).get("url")),
        rows=tuple((str(a or ""), str(b or "")) for a, b in [*vertical, *horizontal]),
        links=tuple(
            (str(j.get("title") or ""), _link(j.get("url"))) for j in card.get("jump_list") or []
        ),
    )


def host_of(url: object) -> str:
    """The host of an address, or nothing."""
    try:
        return urlsplit(str(url or "")).hostname or ""
    except ValueError:
        return ""


def _link(url: object) -> str:
    text = str(url or "")
    return text if text.startswith(("http://", "https://")) else ""


def _picture(encoded: str) -> str:
    type_ = "image/png" if encoded.startswith("iVBOR") else "image/jpeg"
    return f"data:{type_};base64,{encoded}"
