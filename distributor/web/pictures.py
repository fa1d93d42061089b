"""The pictures of an edition at public addresses, for the cards and posts that show them."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from channels.base import Publisher
from distributor.ledger.database import Ledger
from distributor.pictures import Subject, draw
from distributor.templating import Templates
from distributor.web.editions import REVISION, find_digest

#: Drawn pictures kept in the process, about 20 KB each.
_KEPT = 256
_NAME = re.compile(r"[a-z]+(?:-\d{1,4})?\.png")
#: A revision never changes; what is drawn of it may with the next deployment.
_CACHE_CONTROL = "public, max-age=86400"


class EditionPictures:
    """Serves `/editions/{revision}/{picture}`."""

    def __init__(
        self,
        ledger: Ledger,
        templates: Templates,
        publisher: Publisher,
        public_url: str,
        base_url: str,
    ) -> None:
        """`public_url`: where readers reach these pages; their QR codes lead there.

        `base_url`: the site that relative links of an edition belong to.
        """
        self._ledger = ledger
        self._look = templates.look["light"]
        self._publisher = publisher
        self._public_url = public_url
        self._base_url = base_url
        self._drawn = lru_cache(maxsize=_KEPT)(self._draw)

    @property
    def routes(self) -> list[Route]:
        return [Route("/editions/{revision}/{picture}", self.show)]

    def show(self, request: Request) -> Response:
        revision = request.path_params["revision"].lower()
        name = request.path_params["picture"]
        if not (REVISION.fullmatch(revision) and _NAME.fullmatch(name)):
            raise HTTPException(404)
        png = self._drawn(revision, name)
        etag = f'"{hashlib.sha256(png).hexdigest()[:32]}"'
        headers = {
            "Cache-Control": _CACHE_CONTROL,
            "ETag": etag,
            "X-Content-Type-Options": "nosniff",
        }
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(png, media_type="image/png", headers=headers)

    def _draw(self, revision: str, name: str) -> bytes:
        """The picture. Raises `HTTPException` 404, which the cache does not keep."""
        digest = find_digest(self._ledger, revision, self._base_url)
        if digest is None:
            raise HTTPException(404)
        web_url = f"{self._public_url}/editions/{digest.revision[:16]}"
        subject = Subject(digest, self._publisher.name, web_url, self._look)
        try:
            return draw(name, subject)
        except KeyError:
            raise HTTPException(404) from None
