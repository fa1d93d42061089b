"""Telegram calls the bot: a small server that nobody else can talk to."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import Bot, Update
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from channels.telegram.account import TelegramAccount
from distributor.operations.errors import OperationError

_PROOF_HEADER = "X-Telegram-Bot-Api-Secret-Token"


def secret_of(account: TelegramAccount) -> str:
    """What Telegram shows with each call, so that nobody else can call. Needs no setting."""
    key = account.token.get_secret_value().encode()
    return hmac.new(key, b"distributor webhook", hashlib.sha256).hexdigest()


def app(hear: Callable[[Update], Awaitable[None]], bot: Bot, secret: str) -> Starlette:
    """Takes updates by POST, at whatever path a proxy leads here."""

    async def endpoint(request: Request) -> Response:
        shown = request.headers.get(_PROOF_HEADER, "")
        if not hmac.compare_digest(shown.encode(), secret.encode()):
            return Response(status_code=401)
        try:
            update = Update.de_json(await request.json(), bot)
        except (ValueError, LookupError, TypeError, AttributeError):
            return Response(status_code=400)
        await hear(update)
        return Response()

    return Starlette(routes=[Route("/{path:path}", endpoint, methods=["POST"])])


@asynccontextmanager
async def serving(application: Starlette, listen: str) -> AsyncIterator[None]:
    """Serve on `listen`, host and port, while the block runs. Raises `OperationError`."""
    host, _, port = listen.rpartition(":")
    config = uvicorn.Config(
        application, log_config=None, access_log=False, lifespan="off", ws="none"
    )
    config.load()
    state = ServerState()
    try:
        server = await asyncio.get_running_loop().create_server(
            lambda: H11Protocol(config, state, {}), host, int(port)
        )
    except OSError as error:
        raise OperationError(
            f"cannot listen on {listen} for Telegram's calls: {error.strerror}; choose another "
            "place: webhook_listen"
        ) from error
    try:
        yield
    finally:
        server.close()
        for connection in list(state.connections):
            connection.shutdown()
