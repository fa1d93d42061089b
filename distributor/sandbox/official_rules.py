"""What an Official Account's draft may hold, and what its editor makes of it.

https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Add_draft.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

#: The page says 32 characters; accounts report 64 bytes.
TITLE_LIMIT, TITLE_BYTES = 32, 64
AUTHOR_LIMIT, SUMMARY_LIMIT = 16, 120
CONTENT_LIMIT, CONTENT_BYTES = 20_000, 1_000_000
LINK_BYTES = 1_024
PICTURE_BYTES = 1_000_000
#: Where uploaded pictures live.
PICTURE_HOST = "http://mmbiz.qpic.cn/sandbox/"

_STRIPPED = re.compile(r"<(script|style|link|iframe|form|input|pre|table)\b", re.IGNORECASE)
_STRIPPED_STYLE = re.compile(r"(?:position\s*:\s*(?:fixed|absolute|sticky)|float\s*:|grid|var\()")
_IMAGE = re.compile(r"<img\b[^>]*?\bsrc=\"([^\"]*)\"[^>]*>")
_LINK = re.compile(r"<a\b[^>]*\bhref=", re.IGNORECASE)


class Errcode(IntEnum):
    """The codes of WeChat's list that are imitated."""

    INVALID_FILE_TYPE = 40005
    INVALID_MEDIA = 40007
    INVALID_IMAGE_SIZE = 40009
    INVALID_APP = 40013
    INVALID_TOKEN = 40014
    INVALID_SECRET = 40125
    EMPTY_ARTICLE = 44003
    CONTENT_TOO_LONG = 45002
    TITLE_TOO_LONG = 45003
    SUMMARY_TOO_LONG = 45004
    LINK_TOO_LONG = 45005
    QUOTA_USED_UP = 45009
    SENT_BEFORE = 45065
    CLIENT_ID_TOO_LONG = 45067
    AUTHOR_TOO_LONG = 45110
    NOT_JSON = 47001


class Refused(Exception):
    """WeChat says no, with HTTP 200 and this `errcode`."""

    def __init__(self, errcode: int, errmsg: str, **more: object) -> None:
        super().__init__(errmsg)
        self.answer = {"errcode": int(errcode), "errmsg": errmsg, **more}


@dataclass(frozen=True, slots=True)
class Kept:
    """An article as the editor keeps it."""

    article: Mapping[str, Any]
    #: What the editor took away.
    warnings: tuple[str, ...]


def check_picture(content: bytes) -> str:
    """Its media type. Raises `Refused`."""
    if len(content) >= PICTURE_BYTES:
        raise Refused(Errcode.INVALID_IMAGE_SIZE, "invalid image size")
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    raise Refused(Errcode.INVALID_FILE_TYPE, "invalid file type")


def check_article(article: object, covers: Collection[str]) -> Kept:
    """The article as it is kept, with one of the `covers`. Raises `Refused`."""
    if not isinstance(article, dict):
        raise Refused(Errcode.EMPTY_ARTICLE, "empty news data")
    title, content = str(article.get("title") or ""), str(article.get("content") or "")
    if not title.strip() or not content.strip():
        raise Refused(Errcode.EMPTY_ARTICLE, "empty news data")
    if article.get("thumb_media_id") not in covers:
        raise Refused(Errcode.INVALID_MEDIA, "invalid media_id: thumb_media_id")
    lengths = (
        (Errcode.TITLE_TOO_LONG, "title", len(title) > TITLE_LIMIT),
        (Errcode.TITLE_TOO_LONG, "title", len(title.encode()) > TITLE_BYTES),
        (Errcode.AUTHOR_TOO_LONG, "author", len(str(article.get("author") or "")) > AUTHOR_LIMIT),
        (Errcode.SUMMARY_TOO_LONG, "digest", len(str(article.get("digest") or "")) > SUMMARY_LIMIT),
        (Errcode.CONTENT_TOO_LONG, "content", len(content) >= CONTENT_LIMIT),
        (Errcode.CONTENT_TOO_LONG, "content", len(content.encode()) > CONTENT_BYTES),
        (
            Errcode.LINK_TOO_LONG,
            "content_source_url",
            len(str(article.get("content_source_url") or "").encode()) > LINK_BYTES,
        ),
    )
    for errcode, name, is_too_long in lengths:
        if is_too_long:
            raise Refused(errcode, f"{name} size out of limit")
    kept, warnings = _edited(content)
    return Kept({**article, "content": kept}, warnings)


def _edited(content: str) -> tuple[str, tuple[str, ...]]:
    warnings = [
        f"<{tag}> is stripped or breaks" for tag in sorted({*_STRIPPED.findall(content.lower())})
    ]
    if _STRIPPED_STYLE.search(content):
        warnings.append("a style that positions or floats is stripped")
    if _LINK.search(content):
        warnings.append("links to other sites do not work")

    def judged(found: re.Match[str]) -> str:
        if found[1].startswith(PICTURE_HOST):
            return found[0]
        warnings.append(f"a picture that is not the platform's is dropped: {found[1][:80]}")
        return ""

    return _IMAGE.sub(judged, content), tuple(warnings)
