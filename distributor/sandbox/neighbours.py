"""Feishu's and DingTalk's group robots.

https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot and
https://open.dingtalk.com/document/robots/custom-robot-access. A robot whose token begins with
`5ec` wants its messages signed with the secret `secret-of-<token>`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from distributor.sandbox.faults import Fault, FaultBook, FaultKind
from distributor.sandbox.http_faults import respond
from distributor.sandbox.rates import SlidingWindow, first_wait
from distributor.sandbox.store import Incoming, Platform, Store

_BODY_LIMIT = 20_000
_SIGNED = "5ec"
#: A signature's time may differ from the platform's by an hour, in seconds.
_MOST_SKEW = 3600
_BLOCK_SECONDS = 600


class _Refused(Exception):
    """The platform says no with this code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Feishu:
    """Answers `/open-apis/bot/v2/hook/{token}`."""

    def __init__(
        self, store: Store, faults: FaultBook, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._faults = faults
        self._windows = (SlidingWindow(100, 60, clock), SlidingWindow(5, 1, clock))

    def routes(self) -> list[BaseRoute]:
        """The routes to mount."""
        return [Route("/open-apis/bot/v2/hook/{token}", self.endpoint, methods=["POST"])]

    async def endpoint(self, request: Request) -> Response:
        """Answer one message."""
        token, body = request.path_params["token"], await request.body()
        verdict = self._faults.decide(Platform.FEISHU, token, hashlib.sha256(body).hexdigest())
        return await respond(verdict, lambda: self._answer(token, body), self._strike)

    def _answer(self, token: str, body: bytes) -> Response:
        try:
            message = _parsed(body, 9499)
            if token.startswith(_SIGNED):
                _check_feishu_signature(token, message)
            title = _feishu_title(message)
            self._charge(token)
        except _Refused as refused:
            return self._refuse(refused.code, str(refused))
        shown = {key: value for key, value in message.items() if key not in ("timestamp", "sign")}
        self._store.add([Incoming(Platform.FEISHU, token, title, shown)])
        return JSONResponse({"code": 0, "msg": "success", "data": {}})

    def _charge(self, token: str) -> None:
        if first_wait([(window, token) for window in self._windows]):
            raise _Refused(11232, "frequency limited psm[lark.oapi.app_platform_runtime]")

    def _strike(self, fault: Fault) -> Response:
        if fault.kind is FaultKind.RATE_LIMIT:
            return self._refuse(11232, "frequency limited")
        return self._refuse(fault.code or -1, fault.text or "internal error")

    def _refuse(self, code: int, text: str) -> Response:
        self._store.refused(Platform.FEISHU, str(code))
        return JSONResponse({"code": code, "msg": text, "data": {}})


class DingTalk:
    """Answers `/robot/send`."""

    def __init__(
        self, store: Store, faults: FaultBook, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._faults = faults
        self._clock = clock
        self._per_minute = SlidingWindow(20, 60, clock)
        self._blocked_until: dict[str, float] = {}

    def routes(self) -> list[BaseRoute]:
        """The routes to mount."""
        return [Route("/robot/send", self.endpoint, methods=["POST"])]

    async def endpoint(self, request: Request) -> Response:
        """Answer one message."""
        query, body = request.query_params, await request.body()
        token = query.get("access_token", "")
        verdict = self._faults.decide(Platform.DINGTALK, token, hashlib.sha256(body).hexdigest())
        return await respond(verdict, lambda: self._answer(query, body), self._strike)

    def _answer(self, query: Mapping[str, str], body: bytes) -> Response:
        token = query.get("access_token", "")
        try:
            _require_token(token)
            message = _parsed(body, 40035)
            if token.startswith(_SIGNED):
                _check_dingtalk_signature(token, query)
            title = _dingtalk_title(message)
            self._charge(token)
        except _Refused as refused:
            return self._refuse(refused.code, str(refused))
        self._store.add([Incoming(Platform.DINGTALK, token, title, message)])
        return JSONResponse({"errcode": 0, "errmsg": "ok"})

    def _charge(self, token: str) -> None:
        now = self._clock()
        if self._blocked_until.get(token, 0) <= now and not first_wait([(self._per_minute, token)]):
            return
        self._blocked_until.setdefault(token, now + _BLOCK_SECONDS)
        if self._blocked_until[token] <= now:
            self._blocked_until[token] = now + _BLOCK_SECONDS
        raise _Refused(410100, "send too fast, exceed 20 times per minute")

    def _strike(self, fault: Fault) -> Response:
        if fault.kind is FaultKind.RATE_LIMIT:
            return self._refuse(410100, "send too fast, exceed 20 times per minute")
        return self._refuse(fault.code or -1, fault.text or "system busy")

    def _refuse(self, code: int, text: str) -> Response:
        self._store.refused(Platform.DINGTALK, str(code))
        return JSONResponse({"errcode": code, "errmsg": text})


def _require_token(token: str) -> None:
    if not token:
        raise _Refused(400101, "token is not exist")


def _parsed(body: bytes, code: int) -> Mapping[str, Any]:
    if len(body) > _BODY_LIMIT:
        raise _Refused(460101 if code == 40035 else 9499, "the message is over 20 KB")  # noqa: PLR2004
    try:
        message = json.loads(body.decode("utf-8"))
    except ValueError as error:
        raise _Refused(code, "Bad Request: not JSON") from error
    if not isinstance(message, dict):
        raise _Refused(code, "Bad Request: not an object")
    return message


def _feishu_title(message: Mapping[str, Any]) -> str:
    match message:
        case {"msg_type": "text", "content": {"text": str(text)}} if text.strip():
            return " ".join(text.split())[:80]
        case {"msg_type": "interactive", "card": {"elements": [_, *_]} as card}:
            title = (card.get("header") or {}).get("title") or {}
            return str(title.get("content") or "card")
    raise _Refused(9499, "Bad Request: msg_type and content do not fit")


def _dingtalk_title(message: Mapping[str, Any]) -> str:
    match message:
        case {"msgtype": "markdown", "markdown": {"title": str(title), "text": str(text)}} if (
            title.strip() and text.strip()
        ):
            return title
        case {"msgtype": "text", "text": {"content": str(text)}} if text.strip():
            return " ".join(text.split())[:80]
        case {"msgtype": "feedCard", "feedCard": {"links": [_, *_] as links}}:
            for link in links:
                if not all(link.get(key) for key in ("title", "messageURL", "picURL")):
                    raise _Refused(40035, "title, messageURL and picURL of a link are needed")
            return str(links[0]["title"])
    raise _Refused(400105, "unsupported msgtype, or its content is missing")


def _check_feishu_signature(token: str, message: Mapping[str, Any]) -> None:
    timestamp = str(message.get("timestamp") or "")
    key = f"{timestamp}\nsecret-of-{token}"
    if not _is_recent(timestamp, 1) or message.get("sign") != _hmac(key, ""):
        raise _Refused(
            19021, "sign match fail or timestamp is not within one hour from current time"
        )


def _check_dingtalk_signature(token: str, query: Mapping[str, str]) -> None:
    timestamp, secret = query.get("timestamp", ""), f"secret-of-{token}"
    if not _is_recent(timestamp, 1000):
        raise _Refused(310000, "invalid timestamp")
    if query.get("sign") != _hmac(secret, f"{timestamp}\n{secret}"):
        raise _Refused(310000, "sign not match")


def _is_recent(timestamp: str, per_second: int) -> bool:
    return timestamp.isdigit() and abs(int(timestamp) / per_second - time.time()) < _MOST_SKEW


def _hmac(key: str, message: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), message.encode(), "sha256").digest()).decode()
