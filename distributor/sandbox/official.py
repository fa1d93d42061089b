"""An Official Account's calls: token, pictures, drafts, publishing, mass sending.

Drafts and what became of them are messages of the store, so that a restart changes nothing; tokens
and pictures are forgotten with the process. A fault's `match` finds `<app id> <call>`, such as
`wx0123 freepublish/submit`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from distributor.sandbox.access_tokens import AccessTokens
from distributor.sandbox.faults import Fault, FaultBook, FaultKind
from distributor.sandbox.http_faults import respond
from distributor.sandbox.official_rules import (
    PICTURE_HOST,
    Errcode,
    Refused,
    check_article,
    check_picture,
)
from distributor.sandbox.rates import SlidingWindow, first_wait
from distributor.sandbox.store import Incoming, Platform, Received, Store

_PUBLISHED, _PUBLISHING = 0, 1
_CLIENT_ID_BYTES = 64
_DAY_SECONDS = 86_400
#: Calls a day.
_QUOTAS = {
    "stable_token": 2_000,
    "draft/add": 1_000,
    "freepublish/submit": 100,
    "message/mass/sendall": 100,
}
_Call = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


class OfficialAccount:
    """Answers below `/cgi-bin/` for every account."""

    def __init__(
        self, store: Store, faults: FaultBook, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._faults = faults
        self._tokens = AccessTokens(clock)
        self._quotas = {
            call: SlidingWindow(most, _DAY_SECONDS, clock) for call, most in _QUOTAS.items()
        }
        #: Uploaded pictures as data addresses, by media id and by address.
        self._pictures: dict[str, str] = {}
        self._calls: Mapping[str, _Call] = {
            "draft/add": self._add_draft,
            "draft/get": self._get_draft,
            "draft/batchget": self._list_drafts,
            "freepublish/submit": self._submit,
            "freepublish/get": self._get_publication,
            "freepublish/batchget": self._list_published,
            "message/mass/sendall": self._send_to_all,
            "message/mass/get": self._get_mass,
        }

    def routes(self) -> list[BaseRoute]:
        """The routes to mount."""
        return [
            Route("/cgi-bin/stable_token", self.token, methods=["POST"]),
            Route("/cgi-bin/media/uploadimg", self.upload, methods=["POST"]),
            Route("/cgi-bin/material/add_material", self.upload, methods=["POST"]),
            *(Route(f"/cgi-bin/{call}", self.call, methods=["POST"]) for call in self._calls),
        ]

    async def token(self, request: Request) -> Response:
        """Give the account's stable token."""
        body = await request.body()

        def issue() -> Mapping[str, Any]:
            asked = _parsed(body)
            app_id, secret = str(asked.get("appid") or ""), str(asked.get("secret") or "")
            if not app_id.startswith("wx"):
                raise Refused(Errcode.INVALID_APP, "invalid appid")
            if not secret or secret == "wrong":  # noqa: S105
                raise Refused(Errcode.INVALID_SECRET, "invalid appsecret")
            return self._tokens.issue(app_id, anew=bool(asked.get("force_refresh")))

        return await self._respond("token stable_token", body, issue)

    async def upload(self, request: Request) -> Response:
        """Keep a picture: a permanent one has a media id, one for an article an address."""
        app_id = self._app_of(request)
        call = request.url.path.removeprefix("/cgi-bin/")
        form = await request.form()
        file = form.get("media")
        content = b"" if file is None or isinstance(file, str) else await file.read()
        await form.close()

        def keep() -> Mapping[str, Any]:
            self._require_token(app_id)
            kind = check_picture(content)
            name = hashlib.sha256(content).hexdigest()[:24]
            url = f"{PICTURE_HOST}{name}.{'png' if kind == 'image/png' else 'jpg'}"
            shown = f"data:{kind};base64,{base64.b64encode(content).decode()}"
            self._pictures |= {f"media-{name}": shown, url: shown}
            answer = {"media_id": f"media-{name}"} if call == "material/add_material" else {}
            return {**answer, "url": url}

        return await self._respond(f"{app_id or ''} {call}", content, keep)

    async def call(self, request: Request) -> Response:
        """Answer every other call."""
        app_id = self._app_of(request)
        call = request.url.path.removeprefix("/cgi-bin/")
        body = await request.body()

        def answer() -> Mapping[str, Any]:
            return self._calls[call](self._require_token(app_id), _parsed(body))

        return await self._respond(f"{app_id or ''} {call}", body, answer)

    async def _respond(
        self, address: str, body: bytes, accept: Callable[[], Mapping[str, Any]]
    ) -> Response:
        digest = hashlib.sha256(body).hexdigest()
        verdict = self._faults.decide(Platform.OFFICIAL, address, digest)

        def answer() -> Response:
            try:
                self._charge(address)
                return JSONResponse(accept())
            except Refused as refused:
                return self._refuse(refused)

        return await respond(verdict, answer, self._strike)

    def _charge(self, address: str) -> None:
        account, _, call = address.partition(" ")
        quota = self._quotas.get(call)
        if quota is not None and first_wait([(quota, account)]):
            raise Refused(Errcode.QUOTA_USED_UP, "reach max api daily quota limit")

    def _app_of(self, request: Request) -> str | None:
        return self._tokens.client_of(request.query_params.get("access_token", ""))

    def _require_token(self, app_id: str | None) -> str:
        if app_id is None:
            raise Refused(Errcode.INVALID_TOKEN, "invalid access_token")
        return app_id

    def _add_draft(self, app_id: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        articles = body.get("articles")
        if not isinstance(articles, list) or not articles:
            raise Refused(Errcode.EMPTY_ARTICLE, "empty news data")
        covers = [name for name in self._pictures if name.startswith("media-")]
        kept = check_article(articles[0], covers)
        content = {
            "state": "draft",
            "article": kept.article,
            "cover": self._pictures[kept.article["thumb_media_id"]],
            "pictures": {
                url: shown
                for url, shown in self._pictures.items()
                if url in kept.article["content"]
            },
        }
        title = kept.article["title"]
        incoming = Incoming(Platform.OFFICIAL, app_id, title, content, warnings=kept.warnings)
        (id_,) = self._store.add([incoming])
        return {"media_id": f"draft-{id_}"}

    def _get_draft(self, app_id: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        draft = self._draft(app_id, body)
        return {"news_item": [_item(draft)], "update_time": int(draft.at.timestamp())}

    def _list_drafts(self, app_id: str, body: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002
        return _listed(self._all(app_id, "draft"), "media_id", "draft")

    def _list_published(self, app_id: str, body: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002
        listed = _listed(self._all(app_id, "published"), "article_id", "article")
        for message in self._all(app_id, "publishing"):
            self._become(message, "published")
        return listed

    def _submit(self, app_id: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        draft = self._draft(app_id, body)
        self._become(draft, "publishing")
        return {"errcode": 0, "errmsg": "ok", "publish_id": f"publish-{draft.id}"}

    def _get_publication(self, app_id: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        message = self._numbered(app_id, str(body.get("publish_id") or ""), "publish-")
        if message.content["state"] == "publishing":
            # Done when asked for the second time.
            self._become(message, "published")
            return {"publish_id": body["publish_id"], "publish_status": _PUBLISHING}
        detail = {"count": 1, "item": [{"idx": 1, "article_url": _url(message)}]}
        return {
            "publish_id": body["publish_id"],
            "publish_status": _PUBLISHED,
            "article_id": f"article-{message.id}",
            "article_detail": detail,
        }

    def _send_to_all(self, app_id: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        client_id = str(body.get("clientmsgid") or "")
        if len(client_id.encode()) > _CLIENT_ID_BYTES:
            raise Refused(Errcode.CLIENT_ID_TOO_LONG, "clientmsgid size out of limit")
        for message in self._all(app_id, "sent to all"):
            if client_id and message.content.get("client_id") == client_id:
                raise Refused(Errcode.SENT_BEFORE, "clientmsgid exist", msg_id=message.id)
        draft = self._draft(app_id, body.get("mpnews") or {})
        self._become(draft, "sent to all", client_id=client_id)
        return {"errcode": 0, "errmsg": "send job submission success", "msg_id": draft.id}

    def _get_mass(self, app_id: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        message = self._numbered(app_id, f"msg-{body.get('msg_id')}", "msg-")
        return {"msg_id": message.id, "msg_status": "SEND_SUCCESS"}

    def _draft(self, app_id: str, body: Mapping[str, Any]) -> Received:
        message = self._numbered(app_id, str(body.get("media_id") or ""), "draft-")
        if message.content["state"] != "draft":
            raise Refused(Errcode.INVALID_MEDIA, "invalid media_id")
        return message

    def _numbered(self, app_id: str, name: str, prefix: str) -> Received:
        number = name.removeprefix(prefix)
        found = self._store.get(Platform.OFFICIAL, int(number)) if number.isdigit() else None
        if found is None or found.address != app_id:
            raise Refused(Errcode.INVALID_MEDIA, "invalid media_id")
        return found

    def _all(self, app_id: str, state: str) -> list[Received]:
        messages = self._store.messages(Platform.OFFICIAL, app_id)
        return [one for one in reversed(messages) if one.content["state"] == state]

    def _become(self, message: Received, state: str, **more: object) -> None:
        content = {**message.content, "state": state, **more}
        self._store.edit(message.id, message.summary, content)

    def _strike(self, fault: Fault) -> Response:
        if fault.kind is FaultKind.RATE_LIMIT:
            return self._refuse(Refused(Errcode.QUOTA_USED_UP, "reach max api daily quota limit"))
        return self._refuse(Refused(fault.code or -1, fault.text or "system error"))

    def _refuse(self, refused: Refused) -> Response:
        self._store.refused(Platform.OFFICIAL, str(refused.answer["errcode"]))
        return JSONResponse(refused.answer)


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        message = json.loads(body.decode("utf-8"))
    except ValueError as error:
        raise Refused(Errcode.NOT_JSON, "data format error") from error
    if not isinstance(message, dict):
        raise Refused(Errcode.NOT_JSON, "data format error")
    return message


def _item(message: Received) -> dict[str, Any]:
    return {**message.content["article"], "url": _url(message)}


def _listed(messages: list[Received], name: str, prefix: str) -> Mapping[str, Any]:
    items = [
        {name: f"{prefix}-{message.id}", "content": {"news_item": [_item(message)]}}
        for message in messages[:20]
    ]
    return {"total_count": len(messages), "item_count": len(items), "item": items}


def _url(message: Received) -> str:
    return f"https://mp.weixin.qq.com/s/sandbox-{message.id}"
