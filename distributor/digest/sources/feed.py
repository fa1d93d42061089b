"""RSS, Atom and JSON feeds: every entry becomes a Markdown document."""

from __future__ import annotations

import json
import re
from calendar import timegm
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from distributor.digest.dates import parse_date
from distributor.digest.sources.download import Page
from distributor.digest.sources.html import to_markdown, words
from distributor.digest.sources.model import Document, SourceUnreachable, Unread, clean, storable

#: Where the root element of a feed begins, in bytes from the start.
_HEAD_BYTES = 4096
_XML_FEED = re.compile(rb"<(?:rss|(?:\w+:)?feed|(?:\w+:)?RDF)[\s>]")
_JSON_FEED = "https://jsonfeed.org/version/"
_MARKDOWN_TYPES = ("text/plain", "text/markdown", "text/x-markdown")


@dataclass(frozen=True, slots=True)
class _Entry:
    #: What the feed calls it; empty when it does not.
    id: str
    link: str
    title: str
    #: As it was written.
    published: str
    categories: tuple[str, ...]
    content: str
    is_html: bool


def documents(page: Page) -> list[Document | Unread] | None:
    """The entries of a feed, the oldest first; None when `page` is no feed.

    Raises `SourceUnreachable` for a feed that is too damaged to be read.
    """
    start = page.content[:_HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"{"):
        feed = _json_feed(page.content)
        entries = None if feed is None else list(_json_entries(feed))
    elif start.startswith(b"<") and _XML_FEED.search(start):
        entries = list(_xml_entries(page))
    else:
        return None
    if entries is None:
        return None
    return [_document(entry, page.url) for entry in reversed(entries)]


def _xml_entries(page: Page) -> Iterator[_Entry]:
    import feedparser

    # As a stream: text would be taken for a file's name or an address. What is dangerous in HTML
    # goes with the conversion, which also drops the words inside it.
    parsed = feedparser.parse(
        BytesIO(page.content),
        sanitize_html=False,
        response_headers={
            "content-type": page.headers.get("content-type", "application/xml"),
            "content-location": page.url,
        },
    )
    if parsed.bozo and not parsed.entries:
        reason = clean(" ".join(str(parsed.get("bozo_exception", "")).split()))
        raise SourceUnreachable(f"{page.url} is a feed that cannot be read: {reason}")
    for entry in parsed.entries:
        body = _body(entry)
        yield _Entry(
            id=entry.get("id", ""),
            link=entry.get("link", ""),
            title=words(entry.get("title", "")),
            published=_published(entry),
            categories=tuple(tag.get("term") or "" for tag in entry.get("tags", ())),
            content=body.get("value") or "",
            is_html=body.get("type") not in _MARKDOWN_TYPES,
        )


def _body(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The whole text where the feed has it, else its summary."""
    whole = [part for part in entry.get("content", ()) if part.get("value")]
    summary = entry.get("summary_detail", {})
    return max(whole, key=lambda part: len(part["value"])) if whole else summary


def _published(entry: Mapping[str, Any]) -> str:
    """When it was published, with its own zone where we can read it: the day depends on it."""
    written = str(entry.get("published") or entry.get("updated") or "")
    if parse_date(written, UTC) is not None:
        return written
    parsed = entry.get("published_parsed") or entry.get("updated_parsed")
    return datetime.fromtimestamp(timegm(parsed), UTC).isoformat() if parsed else written


def _json_feed(content: bytes) -> Mapping[str, Any] | None:
    try:
        feed = json.loads(content)
    except (ValueError, RecursionError):
        return None
    is_feed = isinstance(feed, dict) and str(feed.get("version", "")).startswith(_JSON_FEED)
    return feed if is_feed else None


def _json_entries(feed: Mapping[str, Any]) -> Iterator[_Entry]:
    """As https://www.jsonfeed.org/version/1.1/ has it."""
    items = feed.get("items")
    for item in items if isinstance(items, list) else ():
        if not isinstance(item, dict):
            continue
        html, tags = item.get("content_html"), item.get("tags")
        yield _Entry(
            id=_text(item.get("id")),
            link=_text(item.get("url")),
            title=_text(item.get("title")),
            published=_text(item.get("date_published")),
            categories=tuple(map(_text, tags)) if isinstance(tags, list) else (),
            content=_text(html or item.get("content_text") or item.get("summary")),
            is_html=bool(html),
        )


def _text(value: object) -> str:
    """A value as text that can be stored; JSON may hold halves of characters."""
    if not isinstance(value, str | int | float):
        return ""
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _document(entry: _Entry, feed_url: str) -> Document | Unread:
    identity = entry.id or entry.link
    if not identity:
        identity = sha256(f"{entry.title}\n{entry.published}".encode()).hexdigest()
    identity = storable(identity)
    content = entry.content
    if entry.is_html:
        try:
            content = to_markdown(content, entry.link or feed_url)
        except ValueError as error:
            return Unread(identity, f"the entry {identity} of {feed_url} is left out: {error}")
    fields = {
        "title": entry.title,
        "date": entry.published,
        "categories": [name for name in entry.categories if name.strip()],
    }
    front_matter = yaml.safe_dump(
        {name: value for name, value in fields.items() if value},
        allow_unicode=True,
        sort_keys=False,
        width=float("inf"),
    )
    text = f"---\n{front_matter}---\n\n{content}\n"
    return Document(identity, _file_name(entry.link), text.encode())


def _file_name(link: str) -> str:
    """A name that tells what the link tells: `…/posts/2025-12-03/` is `2025-12-03.md`."""
    try:
        path = PurePosixPath(unquote(urlsplit(link).path))
    except ValueError:
        path = PurePosixPath()
    return f"{storable(path.stem, 100)}.md" if path.stem else "entry.md"
