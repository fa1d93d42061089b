"""An address on the web that leads to a Markdown post or to a feed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from distributor.digest.sources.model import (
    Document,
    Fetched,
    SourceUnreachable,
    Unread,
    every,
    storable,
)

if TYPE_CHECKING:
    from distributor.digest.sources.download import Page

_PAGE_STARTS = (b"<!doctype html", b"<html")


@dataclass(frozen=True, slots=True)
class WebSource:
    """What stands at `url`: a feed's entries, or one post that the next one will replace."""

    name: str
    url: str
    poll_seconds: float
    max_bytes: int
    timeout_seconds: float
    allow_private: bool

    @property
    def location(self) -> str:
        return storable(self.url)

    def fetch(self, mark: str) -> Fetched | None:
        # Here and not above: requests takes longer to load than most commands to run.
        from distributor.digest.sources.download import Limits, Validators, download

        limits = Limits(self.max_bytes, self.timeout_seconds, self.allow_private)
        page = download(self.url, limits, Validators(*json.loads(mark or "[]")))
        if page is None:
            return None
        new_mark = json.dumps([page.validators.etag, page.validators.last_modified])
        return Fetched(self._documents(page), new_mark)

    def check(self) -> str:
        fetched = self.fetch("")
        found = list(fetched.documents) if fetched else []
        if any(isinstance(one, Document) and one.is_rolling for one in found):
            return f"a Markdown post at {self.url}"
        number = f"{len(found):,} {'entry' if len(found) == 1 else 'entries'}"
        return f"a feed of {number} at {self.url}"

    def changes(self, stopping: threading.Event) -> Iterator[None]:
        return every(self.poll_seconds, stopping)

    def _documents(self, page: Page) -> list[Document | Unread]:
        from distributor.digest.sources import feed

        entries = feed.documents(page)
        if entries is not None:
            return entries
        if page.content.lstrip()[:20].lower().startswith(_PAGE_STARTS):
            raise SourceUnreachable(
                f"{self.url} is a web page, neither Markdown nor a feed; name the page's feed"
            )
        name = PurePosixPath(unquote(urlsplit(page.url).path)).name or "post.md"
        return [Document(self.location, storable(name, 100), page.content, is_rolling=True)]
