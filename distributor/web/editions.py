"""The web edition of a digest: one public page for each revision in the ledger."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import sqlalchemy as sa
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from distributor.digest import reader
from distributor.digest.model import Digest
from distributor.digest.plain import block_text, inline_text
from distributor.ledger.database import Ledger
from distributor.ledger.tables import digests
from distributor.web.pages import Pages
from distributor.web.words import words_for

#: The first 64 bits of a revision name it in links; the whole SHA-256 does too.
REVISION = re.compile(r"[0-9a-f]{16}|[0-9a-f]{64}")
#: Rendered pages kept in the process, about 50 KB each.
_KEPT = 64
_SUMMARY_LIMIT = 160
#: A revision never changes, but the templates around it may with the next deployment.
_CACHE_CONTROL = "public, max-age=600"


@dataclass(frozen=True, slots=True)
class _Page:
    html: str
    etag: str


class Editions:
    """Serves `/editions/{revision}`. Shows the digest and nothing about its audience."""

    def __init__(self, ledger: Ledger, pages: Pages, base_url: str) -> None:
        self._ledger = ledger
        self._pages = pages
        self._base_url = base_url
        self._page = lru_cache(maxsize=_KEPT)(self._render)

    @property
    def routes(self) -> list[Route]:
        return [Route("/editions/{revision}", self.show)]

    def show(self, request: Request) -> Response:
        revision = request.path_params["revision"].lower()
        if not REVISION.fullmatch(revision):
            raise HTTPException(404)
        page = self._page(revision)
        headers = {"Cache-Control": _CACHE_CONTROL, "ETag": page.etag}
        if page.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return self._pages.respond(page.html, headers=headers)

    def _render(self, revision: str) -> _Page:
        """The page of a revision. Raises `HTTPException` 404, which the cache does not keep."""
        digest = find_digest(self._ledger, revision, self._base_url)
        if digest is None:
            raise HTTPException(404)
        html = self._pages.html(
            "public/edition.html.j2",
            digest=digest,
            runs=[(name, list(run)) for name, run in groupby(digest.items, lambda i: i.section)],
            words=words_for(digest.language),
            summary=_summary(block_text(digest.intro) or _first_title(digest)),
        )
        return _Page(html, f'"{hashlib.sha256(html.encode()).hexdigest()[:32]}"')


def find_digest(ledger: Ledger, revision: str, base_url: str) -> Digest | None:
    """The edition of which `revision` is the whole identity or its beginning, if it is there.

    `base_url`: the site that its relative links belong to.
    """
    with ledger.read() as c:
        found = c.execute(
            sa.select(digests.c.source, digests.c.name).where(
                digests.c.revision.startswith(revision)
            )
        ).first()
    return None if found is None else reader.read(found.source, found.name, base_url)


def _first_title(digest: Digest) -> str:
    return inline_text(digest.items[0].title) if digest.items else ""


def _summary(text: str) -> str:
    """One line for link previews."""
    line = " ".join(text.split())
    return line if len(line) <= _SUMMARY_LIMIT else line[: _SUMMARY_LIMIT - 1] + "…"
