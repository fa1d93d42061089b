"""Shows the messages of Feishu's and DingTalk's robots the way their groups do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from distributor.sandbox.local_pictures import Pictures, no_pictures
from distributor.sandbox.store import Platform, Received
from distributor.sandbox.wecom_view import Article, Post, host_of

#: Inline HTML stays text, and pictures stay links: the page fetches nothing.
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable("image")
_GREY = ("&lt;font color='grey'&gt;", "&lt;/font&gt;")  # as the renderer escapes them


def neighbour_post(message: Received, pictures: Pictures = no_pictures) -> Post:
    """`message` for the page."""
    at, content = message.at, message.content
    match content:
        case {"msg_type": "interactive", "card": dict(card)}:
            return Post(at, (), html=_card(card))
        case {"msgtype": "markdown", "markdown": {"text": str(text)}}:
            return Post(at, (), html=_marked(text))
        case {"msgtype": "feedCard", "feedCard": {"links": list(links)}}:
            return Post(at, (), articles=tuple(_article(link, pictures) for link in links))
    plain = content.get("content") or content.get("text") or {}
    said = plain.get("text") or plain.get("content") or ""
    return Post(at, (), html=Markup('<div class="plain">{}</div>').format(said))


def platform_name(platform: Platform) -> str:
    """How people call it."""
    return {Platform.FEISHU: "Feishu", Platform.DINGTALK: "DingTalk"}.get(platform, "WeCom")


def _marked(text: str) -> Markup:
    return Markup(_MARKDOWN.render(text))  # noqa: S704 - raw HTML is off


def _card(card: Mapping[str, Any]) -> Markup:
    title = ((card.get("header") or {}).get("title") or {}).get("content") or ""
    body = Markup("").join(_element(element) for element in card.get("elements") or [])
    return Markup('<div class="card-title">{}</div>{}').format(title, body)


def _element(element: Mapping[str, Any]) -> Markup:
    match element:
        case {"tag": "markdown", "content": str(text)}:
            html = str(_marked(text))
            for written, shown in zip(_GREY, ('<span class="muted">', "</span>"), strict=True):
                html = html.replace(written, shown)
            return Markup(html)  # noqa: S704 - only the one tag is let through
        case {"tag": "hr"}:
            return Markup("<hr>")
        case {"tag": "action", "actions": list(actions)}:
            return Markup("").join(_button(action) for action in actions)
        case {"tag": "note", "elements": list(elements)}:
            words = " ".join(str(one.get("content") or "") for one in elements)
            return Markup('<p class="small muted">{}</p>').format(words)
    return Markup("")


def _button(action: Mapping[str, Any]) -> Markup:
    url = str(action.get("url") or "")
    words = (action.get("text") or {}).get("content") or ""
    if not url.startswith(("http://", "https://")):
        return Markup("")
    return Markup('<p><a class="button" href="{}" target="_blank">{}</a></p>').format(url, words)


def _article(link: Mapping[str, Any], pictures: Pictures) -> Article:
    picture = str(link.get("picURL") or "")
    return Article(
        title=str(link["title"]),
        description="",
        url=str(link["messageURL"]),
        picture_host=host_of(picture),
        picture=pictures(picture),
    )
