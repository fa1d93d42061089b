"""WeCom's application messages: token, recipients by the list, and the check for duplicates.

https://developer.work.weixin.qq.com/document/path/90236. A recipient whom a fault rejects with
81013 is one that does not exist: the others get the message.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from distributor.sandbox.access_tokens import AccessTokens
from distributor.sandbox.faults import Fault, FaultBook, FaultKind, Verdict
from distributor.sandbox.http_faults import respond
from distributor.sandbox.rates import SlidingWindow, first_wait
from distributor.sandbox.store import Incoming, Platform, Store
from distributor.sandbox.wecom import parsed
from distributor.sandbox.wecom_rules import APP_RULES, Errcode, Refused, check

_MOST = {"touser": 1_000, "toparty": 100, "totag": 100}
_PREFIXES = {"touser": "app:", "toparty": "app:party:", "totag": "app:tag:"}
_INVALID = {"touser": "invaliduser", "toparty": "invalidparty", "totag": "invalidtag"}
_NOBODY = 81013
_LONGEST_INTERVAL = 14_400
_DEFAULT_INTERVAL = 1_800


@dataclass(frozen=True, slots=True)
class _Named:
    """One recipient of a call."""

    field: str
    name: str

    @property
    def address(self) -> str:
        return _PREFIXES[self.field] + self.name


class WeComApp:
    """Answers `/cgi-bin/gettoken` and `/cgi-bin/message/send`."""

    def __init__(
        self, store: Store, faults: FaultBook, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._faults = faults
        self._clock = clock
        self._tokens = AccessTokens(clock)
        #: When calls with these bytes are forgotten.
        self._seen: dict[str, float] = {}
        self._last_id = 0
        #: What a member gets beyond this is dropped without a word.
        self._per_member = (SlidingWindow(30, 60, clock), SlidingWindow(1_000, 3600, clock))

    def routes(self) -> list[BaseRoute]:
        """The routes to mount."""
        return [
            Route("/cgi-bin/gettoken", self.token, methods=["GET"]),
            Route("/cgi-bin/message/send", self.send, methods=["POST"]),
        ]

    async def token(self, request: Request) -> Response:
        """Give a token to whoever names an organisation and a secret."""
        corp_id = request.query_params.get("corpid", "")
        secret = request.query_params.get("corpsecret", "")
        verdict = self._faults.decide(Platform.WECOM, f"app gettoken {corp_id}", "")

        def issue() -> Response:
            if not corp_id.startswith(("ww", "wx")):
                return self._refuse(Refused(Errcode.INVALID_CORP, "invalid corpid"))
            if not secret or secret == "wrong":  # noqa: S105
                return self._refuse(Refused(Errcode.INVALID_SECRET, "invalid credential"))
            issued = self._tokens.issue(f"{corp_id} {hashlib.sha256(secret.encode()).hexdigest()}")
            return JSONResponse({"errcode": 0, "errmsg": "ok", **issued})

        return await respond(verdict, issue, self._strike)

    async def send(self, request: Request) -> Response:
        """Answer one message."""
        token = request.query_params.get("access_token", "")
        body = await request.body()
        digest = hashlib.sha256(body).hexdigest()
        try:
            self._require_token(token)
            message = parsed(body)
            named = _named(message)
        except Refused as refused:
            return self._refuse(refused)
        unknown, verdict = self._judge(named, digest)
        return await respond(
            verdict, lambda: self._accept(message, named, unknown, digest), self._strike
        )

    def _require_token(self, token: str) -> None:
        if self._tokens.client_of(token) is None:
            raise Refused(Errcode.INVALID_TOKEN, "invalid access_token")

    def _judge(self, named: Sequence[_Named], digest: str) -> tuple[set[_Named], Verdict]:
        """Who does not exist, and what else shall happen to the call."""
        unknown, delay = set(), 0.0
        for one in named:
            verdict = self._faults.decide(Platform.WECOM, one.address, digest)
            delay = max(delay, verdict.delay)
            if verdict.fault is None:
                continue
            if verdict.fault.kind is FaultKind.REJECT and verdict.fault.code == _NOBODY:
                unknown.add(one)
            else:
                return set(), Verdict(delay, verdict.fault)
        return unknown, Verdict(delay, None)

    def _accept(
        self, body: Mapping[str, Any], named: Sequence[_Named], unknown: set[_Named], digest: str
    ) -> Response:
        try:
            _require_agent(body)
            accepted = check(body, APP_RULES)
            _require_somebody(named, unknown)
        except Refused as refused:
            return self._refuse(refused)
        if not self._is_repeated(body, digest):
            content = {**accepted.body, "agentid": body["agentid"]}
            self._store.add(
                [
                    Incoming(
                        Platform.WECOM,
                        one.address,
                        accepted.summary,
                        content,
                        warnings=accepted.warnings,
                    )
                    for one in named
                    if one not in unknown and self._has_room(one)
                ]
            )
        self._last_id += 1
        answer = {"errcode": 0, "errmsg": "ok", "msgid": f"sandbox-{self._last_id}"}
        for field, key in _INVALID.items():
            names = [one.name.lower() for one in named if one in unknown and one.field == field]
            if names:
                answer[key] = "|".join(names)
        return JSONResponse(answer)

    def _has_room(self, one: _Named) -> bool:
        if not first_wait([(window, one.address) for window in self._per_member]):
            return True
        self._store.refused(Platform.WECOM, "dropped")
        return False

    def _is_repeated(self, body: Mapping[str, Any], digest: str) -> bool:
        """Whether the check for duplicates is on and the same call came a short while ago."""
        if body.get("enable_duplicate_check") != 1:
            return False
        now = self._clock()
        interval = body.get("duplicate_check_interval", _DEFAULT_INTERVAL)
        seconds = min(interval if isinstance(interval, int) else 0, _LONGEST_INTERVAL)
        repeated = self._seen.get(digest, 0) > now
        if not repeated:
            self._seen[digest] = now + seconds
        return repeated

    def _strike(self, fault: Fault) -> Response:
        if fault.kind is FaultKind.RATE_LIMIT:
            return self._refuse(Refused(Errcode.OVER_RATE, "api freq out of limit"))
        return self._refuse(Refused(fault.code or -1, fault.text or "system busy"))

    def _refuse(self, refused: Refused) -> Response:
        self._store.refused(Platform.WECOM, str(int(refused.errcode)))
        return JSONResponse({"errcode": int(refused.errcode), "errmsg": refused.errmsg})


def _require_agent(body: Mapping[str, Any]) -> None:
    if not isinstance(body.get("agentid"), int):
        raise Refused(Errcode.INVALID_AGENT, "invalid agentid")


def _require_somebody(named: Sequence[_Named], unknown: set[_Named]) -> None:
    if len(unknown) == len(named):
        raise Refused(_NOBODY, "user & party & tag all invalid")


def _named(body: Mapping[str, Any]) -> list[_Named]:
    named = []
    for field, most in _MOST.items():
        names = [name for name in str(body.get(field) or "").split("|") if name]
        if len(names) > most:
            raise Refused(Errcode.INVALID_PARAMETER, f"{field} exceeds {most}")
        named += [_Named(field, name) for name in names]
    if not named:
        raise Refused(Errcode.NO_RECIPIENT, "touser, toparty and totag are all empty")
    return named
