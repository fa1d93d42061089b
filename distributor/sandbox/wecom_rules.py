"""WeCom's rules for a group robot's messages.

Source: https://developer.work.weixin.qq.com/document/path/91770 and the global list of error
codes at https://developer.work.weixin.qq.com/document/path/90313.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

#: UTF-8 bytes.
TEXT_LIMIT = 2048
MARKDOWN_LIMIT = 4096
APP_MARKDOWN_LIMIT = 2048
TITLE_LIMIT = 128
DESCRIPTION_LIMIT = 512
IMAGE_LIMIT = 2 * 1024 * 1024
#: Articles in one news message.
ARTICLE_LIMIT = 8
#: Lists in a template card, in entries.
CARD_LISTS = {"horizontal_content_list": 6, "jump_list": 3, "vertical_content_list": 4}

_KEY = re.compile(r"[A-Za-z0-9-]{8,64}")
_URL = re.compile(r"https?://\S+")
_ASPECT_RATIO = (1.3, 2.25)


class Errcode(IntEnum):
    """The codes of WeCom's list that a robot or an app is answered with."""

    INVALID_SECRET = 40001
    INVALID_FILE_TYPE = 40005
    INVALID_MESSAGE_TYPE = 40008
    INVALID_IMAGE_SIZE = 40009
    INVALID_CORP = 40013
    INVALID_TOKEN = 40014
    INVALID_AGENT = 40056
    INVALID_PARAMETER = 40058
    EMPTY_CONTENT = 44004
    CONTENT_TOO_BIG = 45002
    TOO_MANY_ARTICLES = 45008
    OVER_RATE = 45009
    NOT_JSON = 47001
    NO_RECIPIENT = 82001
    INVALID_WEBHOOK = 93000
    MD5_MISMATCH = 301019


class Refused(Exception):
    """WeCom says no, with HTTP 200 and this `errcode`."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(errmsg)
        self.errcode = errcode
        self.errmsg = errmsg


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message as members of the group see it."""

    body: Mapping[str, Any]
    summary: str
    #: What was cut.
    warnings: tuple[str, ...] = ()


#: What becomes of a message, by its type.
Rules = Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Accepted]]


def check_key(key: str) -> None:
    """Raises `Refused` unless `key` could be a robot's."""
    if not _KEY.fullmatch(key):
        raise Refused(Errcode.INVALID_WEBHOOK, "invalid webhook url")


def check(body: Mapping[str, Any], rules: Rules | None = None) -> Accepted:
    """What the group or member gets of `body`, by the robot's rules or others. Raises `Refused`."""
    kind = body.get("msgtype")
    rule = (ROBOT_RULES if rules is None else rules).get(kind) if isinstance(kind, str) else None
    if rule is None or not isinstance(kind, str):
        raise Refused(Errcode.INVALID_MESSAGE_TYPE, "invalid message type")
    content = body.get(kind)
    if not isinstance(content, dict):
        raise Refused(Errcode.EMPTY_CONTENT, f"empty content: {kind} is missing")
    return rule(body, content)


def cut(text: str, limit: int) -> str:
    """The longest beginning of `text` within `limit` bytes that breaks no character."""
    return text.encode()[:limit].decode(errors="ignore")


def _text(body: Mapping[str, Any], content: Mapping[str, Any]) -> Accepted:
    text = _needed_text(content, "content")
    if len(text.encode()) > TEXT_LIMIT:
        raise Refused(Errcode.CONTENT_TOO_BIG, f"text.content exceed max length {TEXT_LIMIT} bytes")
    return Accepted(body, _summary(text))


def _markdown(body: Mapping[str, Any], content: Mapping[str, Any]) -> Accepted:
    text = _needed_text(content, "content")
    if len(text.encode()) > MARKDOWN_LIMIT:
        raise Refused(
            Errcode.INVALID_PARAMETER,
            f"{body['msgtype']}.content exceed max length {MARKDOWN_LIMIT}",
        )
    return Accepted(body, _summary(text))


def _short_markdown(body: Mapping[str, Any], content: Mapping[str, Any]) -> Accepted:
    accepted = _markdown(body, content)
    if len(str(content["content"]).encode()) > APP_MARKDOWN_LIMIT:
        raise Refused(
            Errcode.INVALID_PARAMETER, f"markdown.content exceed max length {APP_MARKDOWN_LIMIT}"
        )
    return accepted


def _image(body: Mapping[str, Any], content: Mapping[str, Any]) -> Accepted:
    try:
        raw = base64.b64decode(_needed_text(content, "base64"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(Errcode.INVALID_PARAMETER, "image.base64 is not base64") from error
    if len(raw) > IMAGE_LIMIT:
        raise Refused(Errcode.INVALID_IMAGE_SIZE, "invalid image size, at most 2 MB")
    if not raw.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        raise Refused(Errcode.INVALID_FILE_TYPE, "invalid file type, need JPG or PNG")
    if hashlib.md5(raw, usedforsecurity=False).hexdigest() != content.get("md5"):
        raise Refused(Errcode.MD5_MISMATCH, "media file md5 not match")
    return Accepted(body, "[Picture]")


def _news(body: Mapping[str, Any], content: Mapping[str, Any]) -> Accepted:
    articles = content.get("articles")
    if not isinstance(articles, list) or not articles:
        raise Refused(Errcode.EMPTY_CONTENT, "empty content: news.articles")
    if len(articles) > ARTICLE_LIMIT:
        raise Refused(Errcode.TOO_MANY_ARTICLES, "article count out of limit, at most 8")
    warnings: list[str] = []
    shown = [_article(number, article, warnings) for number, article in enumerate(articles, 1)]
    changed = {**body, "news": {**content, "articles": shown}}
    return Accepted(changed, shown[0]["title"], tuple(warnings))


def _article(number: int, article: object, warnings: list[str]) -> dict[str, Any]:
    if not isinstance(article, dict):
        raise Refused(Errcode.INVALID_PARAMETER, f"invalid news.articles[{number - 1}]")
    shown = dict(article)
    shown["title"] = _needed_text(article, "title")
    _needed_url(article, "url", f"news.articles[{number - 1}].url")
    for field, limit in (("title", TITLE_LIMIT), ("description", DESCRIPTION_LIMIT)):
        text = str(article.get(field) or "")
        if len(text.encode()) > limit:
            shown[field] = cut(text, limit)
            warnings.append(f"{field} of article {number} was cut at {limit} bytes")
    return shown


def _template_card(body: Mapping[str, Any], card: Mapping[str, Any]) -> Accepted:
    kind = card.get("card_type")
    if kind not in ("text_notice", "news_notice"):
        raise Refused(Errcode.INVALID_PARAMETER, "invalid template_card.card_type")
    title = str(_object(card, "main_title").get("title") or "")
    action = _object(card, "card_action")
    if action.get("type") not in (1, 2):
        raise Refused(Errcode.INVALID_PARAMETER, "invalid template_card.card_action.type")
    if action["type"] == 1:
        _needed_url(action, "url", "template_card.card_action.url")
    if kind == "news_notice":
        _check_news_notice(card, title)
    elif not title and not card.get("sub_title_text"):
        raise Refused(
            Errcode.INVALID_PARAMETER, "template_card needs main_title.title or sub_title_text"
        )
    _check_card_lists(card)
    return Accepted(body, _summary(title or str(card["sub_title_text"])))


def _check_news_notice(card: Mapping[str, Any], title: str) -> None:
    if not title:
        raise Refused(Errcode.INVALID_PARAMETER, "template_card.main_title.title is missing")
    image = _object(card, "card_image")
    _needed_url(image, "url", "template_card.card_image.url")
    ratio = image.get("aspect_ratio", 1.3)
    low, high = _ASPECT_RATIO
    if not isinstance(ratio, int | float) or not low <= ratio <= high:
        raise Refused(Errcode.INVALID_PARAMETER, "template_card.card_image.aspect_ratio")


def _check_card_lists(card: Mapping[str, Any]) -> None:
    for name, limit in CARD_LISTS.items():
        entries = card.get(name, [])
        if not isinstance(entries, list) or len(entries) > limit:
            raise Refused(Errcode.INVALID_PARAMETER, f"template_card.{name}: at most {limit}")


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name) or {}
    if not isinstance(value, dict):
        raise Refused(Errcode.INVALID_PARAMETER, f"{name} must be an object")
    return value


def _needed_text(parent: Mapping[str, Any], name: str) -> str:
    value = parent.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Refused(Errcode.EMPTY_CONTENT, f"empty content: {name}")
    return value


def _needed_url(parent: Mapping[str, Any], name: str, path: str) -> None:
    if not _URL.fullmatch(str(parent.get(name) or "")):
        raise Refused(Errcode.INVALID_PARAMETER, f"invalid {path}")


def _summary(text: str) -> str:
    return " ".join(text.split())[:80]


ROBOT_RULES: Rules = {
    "text": _text,
    "markdown": _markdown,
    "markdown_v2": _markdown,
    "image": _image,
    "news": _news,
    "template_card": _template_card,
}
#: Pictures of an app are uploaded beforehand, which is not imitated.
APP_RULES: Rules = {
    "text": _text,
    "markdown": _short_markdown,
    "news": _news,
    "template_card": _template_card,
}
