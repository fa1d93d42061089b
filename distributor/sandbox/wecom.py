"""WeCom's group robot webhook. Every verdict comes with HTTP 200; only `errcode` tells."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from distributor.sandbox.faults import Fault, FaultBook, FaultKind
from distributor.sandbox.http_faults import respond
from distributor.sandbox.rates import SlidingWindow, first_wait
from distributor.sandbox.store import Incoming, Platform, Store
from distributor.sandbox.wecom_rules import Errcode, Refused, check, check_key


class WeComRobot:
    """Answers `/cgi-bin/webhook/send?key=K` for every robot."""

    def __init__(
        self, store: Store, faults: FaultBook, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._faults = faults
        self._per_key = SlidingWindow(20, 60, clock)

    async def endpoint(self, request: Request) -> Response:
        """Answer one message in WeCom's form."""
        key = request.query_params.get("key", "")
        body = await request.body()
        verdict = self._faults.decide(Platform.WECOM, key, hashlib.sha256(body).hexdigest())
        return await respond(verdict, lambda: self._answer(key, body), self._strike)

    def _answer(self, key: str, body: bytes) -> Response:
        try:
            self._accept(key, body)
        except Refused as refused:
            return self._refuse(refused)
        return JSONResponse({"errcode": 0, "errmsg": "ok"})

    def _accept(self, key: str, body: bytes) -> None:
        check_key(key)
        accepted = check(parsed(body))
        if first_wait([(self._per_key, key)]):
            raise Refused(Errcode.OVER_RATE, "api freq out of limit")
        incoming = Incoming(
            Platform.WECOM, key, accepted.summary, accepted.body, warnings=accepted.warnings
        )
        self._store.add([incoming])

    def _strike(self, fault: Fault) -> Response:
        if fault.kind is FaultKind.RATE_LIMIT:
            return self._refuse(Refused(Errcode.OVER_RATE, "api freq out of limit"))
        return self._refuse(Refused(fault.code or -1, fault.text or "system busy"))

    def _refuse(self, refused: Refused) -> Response:
        self._store.refused(Platform.WECOM, str(int(refused.errcode)))
        return JSONResponse({"errcode": int(refused.errcode), "errmsg": refused.errmsg})


def parsed(body: bytes) -> Mapping[str, Any]:
    """The message in `body`. Raises `Refused` unless it is a JSON object in UTF-8."""
    try:
        message = json.loads(body.decode("utf-8"))
    except ValueError as error:
        raise Refused(Errcode.NOT_JSON, "data format error, need UTF-8 JSON") from error
    if not isinstance(message, dict):
        raise Refused(Errcode.NOT_JSON, "data format error, need a JSON object")
    return message
