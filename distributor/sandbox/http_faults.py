"""Lets an HTTP endpoint misbehave, down to a connection that breaks without an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from distributor.sandbox.faults import Fault, FaultKind, Verdict

_TRANSPORT = "sandbox.transport"


class BreakableProtocol(H11Protocol):
    """uvicorn's HTTP protocol with the connection within an application's reach."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the connection into the scope of every request that comes over it."""
        super().connection_made(transport)
        app: Any = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, _TRANSPORT: transport}, receive, send)

        self.app = with_transport


class BrokenConnection(Response):
    """Instead of an answer the connection breaks."""

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        """Break it, and wait until the server has noticed: it would answer 500 otherwise."""
        scope[_TRANSPORT].abort()
        while (await receive())["type"] != "http.disconnect":
            pass


async def respond(
    verdict: Verdict, accept: Callable[[], Response], refuse: Callable[[Fault], Response]
) -> Response:
    """The answer that `verdict` asks for: `accept` treats the message as the platform would."""
    await asyncio.sleep(verdict.delay)
    fault = verdict.fault
    if fault is None:
        return accept()
    match fault.kind:
        case FaultKind.HTTP_ERROR:
            return PlainTextResponse(fault.body, fault.status, media_type="text/html")
        case FaultKind.DROP_BEFORE:
            return BrokenConnection()
        case FaultKind.DROP_AFTER:
            accept()
            return BrokenConnection()
        case _:
            return refuse(fault)
