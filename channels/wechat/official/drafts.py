"""Drafts as the platform lists them: finding one again, and reading back what it kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import escape

#: In place of a picture's address: it is left out.
NO_PICTURE = "no-picture"
#: Less of the content than this, as the platform gives it back, means that it dropped something.
_KEPT_SHARE = 0.9


def with_pictures(payload: Mapping[str, Any], accepted: Sequence[str]) -> dict[str, Any]:
    """The article with its cover, and its pictures at their new addresses.

    `accepted`: what each part before this one made, the first one's first.
    """
    article = dict(payload["article"])
    content: str = article["content"]
    for url, number in payload["pictures"].items():
        new = accepted[number - 1]
        old_tag = f'<img src="{escape(url)}"'
        if new == NO_PICTURE:
            content = _without_tags(content, old_tag)
        else:
            content = content.replace(old_tag, f'<img src="{escape(new)}"')
    return {**article, "content": content, "thumb_media_id": accepted[0]}


def find(listed: Mapping[str, Any], article: Mapping[str, Any]) -> str | None:
    """The media id of the draft that is this edition's, by the address in it."""
    for draft in listed.get("item") or []:
        for kept in (draft.get("content") or {}).get("news_item") or []:
            if kept.get("content_source_url") == article["content_source_url"]:
                return str(draft.get("media_id"))
    return None


def compare(said: Mapping[str, Any], article: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The preview's address, and what the platform kept otherwise than it was sent."""
    kept = (said.get("news_item") or [{}])[0]
    differences = [
        f"{name} was changed"
        for name in ("title", "author", "digest", "content_source_url")
        if kept.get(name) != article[name]
    ]
    sent, held = len(article["content"]), len(str(kept.get("content") or ""))
    if held < sent * _KEPT_SHARE:
        differences.append(f"only {held:,} of {sent:,} characters were kept")
    return str(kept.get("url") or ""), differences


def published_url(listed: Mapping[str, Any], source_url: str) -> str | None:
    """The address of the article that links to the edition `source_url`, if it is published."""
    for published in listed.get("item") or []:
        for kept in (published.get("content") or {}).get("news_item") or []:
            if kept.get("content_source_url") == source_url:
                return str(kept.get("url") or "")
    return None


def article_url(said: Mapping[str, Any]) -> str:
    """The address of the article that a finished publication names."""
    items = (said.get("article_detail") or {}).get("item") or [{}]
    return str(items[0].get("article_url") or "")


def _without_tags(content: str, opening: str) -> str:
    while (start := content.find(opening)) >= 0:
        content = content[:start] + content[content.index(">", start) + 1 :]
    return content
