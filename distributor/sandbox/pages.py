"""The pages that show what subscribers would see. Read only, without scripts."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from distributor.sandbox.email_view import FRAME_SANDBOX, MAIL_POLICY, read_mail
from distributor.sandbox.local_pictures import LocalPictures
from distributor.sandbox.official_view import publication
from distributor.sandbox.store import Platform, Received, Store
from distributor.sandbox.views import (
    MAILS_ON_A_PAGE,
    chat_view,
    group_view,
    mail_view,
    official_view,
    overview,
    totals,
)
from distributor.templating import Templates

_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


#: Platforms on which robots post into groups.
GROUPS = (Platform.WECOM, Platform.FEISHU, Platform.DINGTALK)


class Pages:
    """Everything that a person looks at."""

    def __init__(self, store: Store, templates: Templates) -> None:
        self._store = store
        self._templates = templates
        self._pictures = LocalPictures()

    def routes(self) -> list[BaseRoute]:
        """The routes to mount."""
        return [
            Route("/", self.overview),
            Route("/mail", self.inbox),
            Route("/mail/{id:int}", self.inbox),
            Route("/mail/{id:int}/body", self.mail_body),
            Route("/mail/{id:int}.eml", self.mail_source),
            Route("/telegram", self.telegram),
            *(Route(f"/{platform}", self.groups) for platform in GROUPS),
            Route("/official", self.official),
            Route("/official/{id:int}/body", self.article_body),
        ]

    async def overview(self, _request: Request) -> Response:
        """The newest of every platform side by side."""
        view = overview(self._store, self._pictures)
        if await asyncio.to_thread(self._pictures.fetch_wanted):
            view = overview(self._store, self._pictures)
        return self._page("overview.html.j2", view)

    async def inbox(self, request: Request) -> Response:
        """The list of mails beside one of them: the chosen one, or the newest."""
        sought = request.query_params.get("q", "")
        count = self._store.count(Platform.SMTP, sought)
        last = max(1, math.ceil(count / MAILS_ON_A_PAGE))
        page = min(_positive(request.query_params.get("page", "1")), last)
        mails = self._store.newest(
            Platform.SMTP, sought, MAILS_ON_A_PAGE, (page - 1) * MAILS_ON_A_PAGE
        )
        chosen = self._mail(request) if "id" in request.path_params else None
        shown = chosen or (mails[0] if mails else None)
        values: dict[str, Any] = {
            "mails": mails,
            "chosen": chosen is not None,
            "shown": mail_view(shown) if shown else None,
            "sought": sought,
            "count": count,
            "page": page,
            "last": last,
        }
        return self._page("mail.html.j2", values)

    async def mail_body(self, request: Request) -> Response:
        """A mail's HTML for its frame; nothing in it runs or is fetched."""
        html = read_mail(self._mail(request).file).framed()
        policy = f"{MAIL_POLICY}; sandbox {FRAME_SANDBOX}; frame-ancestors 'self'"
        return HTMLResponse(html, headers={"Content-Security-Policy": policy, **_HEADERS})

    async def mail_source(self, request: Request) -> Response:
        """A mail as it came over the wire."""
        mail = self._mail(request)
        raw = mail.file.read_bytes() if mail.file and mail.file.is_file() else b""
        named = {"Content-Disposition": f'attachment; filename="{mail.id}.eml"', **_HEADERS}
        return Response(raw, media_type="message/rfc822", headers=named)

    async def telegram(self, request: Request) -> Response:
        """One chat beside the list of chats."""
        wanted = request.query_params.get("chat")
        return self._page("telegram.html.j2", chat_view(self._store, wanted))

    async def groups(self, request: Request) -> Response:
        """One group or member beside the list of them; each goes by the id of a message."""
        platform = Platform(request.url.path.strip("/"))
        wanted = self._store.get(platform, _positive(request.query_params.get("message", "")))
        address = wanted.address if wanted else None
        view = group_view(self._store, platform, address, self._pictures)
        if await asyncio.to_thread(self._pictures.fetch_wanted):
            view = group_view(self._store, platform, address, self._pictures)
        return self._page("groups.html.j2", view)

    async def official(self, request: Request) -> Response:
        """One article beside the list of what Official Accounts have."""
        wanted = request.query_params.get("article")
        view = official_view(self._store, _positive(wanted) if wanted else None)
        return self._page("official.html.j2", view)

    async def article_body(self, request: Request) -> Response:
        """An article's HTML for its frame; nothing in it runs or is fetched."""
        found = self._store.get(Platform.OFFICIAL, request.path_params["id"])
        if found is None:
            raise HTTPException(404, "There is no such article here, or not any more.")
        policy = f"{MAIL_POLICY}; sandbox {FRAME_SANDBOX}; frame-ancestors 'self'"
        headers = {"Content-Security-Policy": policy, **_HEADERS}
        return HTMLResponse(publication(found).framed, headers=headers)

    def _mail(self, request: Request) -> Received:
        mail = self._store.get(Platform.SMTP, request.path_params["id"])
        if mail is None:
            raise HTTPException(404, "There is no such mail here, or not any more.")
        return mail

    def _page(self, template: str, values: Mapping[str, object]) -> Response:
        html = self._templates.render(f"sandbox/{template}", totals=totals(self._store), **values)
        headers = {"Content-Security-Policy": _PAGE_POLICY, "Cache-Control": "no-store", **_HEADERS}
        return HTMLResponse(html, headers=headers)


def _positive(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) <= 15 else 1  # noqa: PLR2004
