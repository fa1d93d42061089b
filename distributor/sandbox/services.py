"""Runs the SMTP and the HTTP server in one event loop over one store."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import closing

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from uvicorn.server import ServerState

from distributor.sandbox import smtp
from distributor.sandbox.bot_api import BotApi
from distributor.sandbox.bot_people import People
from distributor.sandbox.config import SandboxConfig
from distributor.sandbox.control import Control
from distributor.sandbox.faults import FaultBook
from distributor.sandbox.http_faults import BreakableProtocol
from distributor.sandbox.neighbours import DingTalk, Feishu
from distributor.sandbox.official import OfficialAccount
from distributor.sandbox.pages import Pages
from distributor.sandbox.store import Store, open_database
from distributor.sandbox.wecom import WeComRobot
from distributor.sandbox.wecom_app import WeComApp
from distributor.templating import Templates

logger = logging.getLogger(__name__)

#: Seconds that HTTP requests under way get to finish when the sandbox stops.
_GRACE_SECONDS = 0.5


async def serve(
    config: SandboxConfig,
    smtp_socket: socket.socket,
    http_socket: socket.socket,
    stop: asyncio.Event,
    started: Callable[[], None],
) -> None:
    """Serve on the bound sockets until `stop` is set; calls `started` once both listen."""
    with closing(open_database(config.folder)) as connection:
        store, faults = Store(connection, config.folder), FaultBook(connection)
        smtp.quiet_logging()
        mail = await asyncio.get_running_loop().create_server(
            lambda: smtp.protocol(store, faults, config.host), sock=smtp_socket
        )
        state = ServerState()
        protocol = _http_protocol(config, store, faults, state)
        web = await asyncio.get_running_loop().create_server(protocol, sock=http_socket)
        _announce("SMTP on %s:%d", smtp_socket)
        _announce("page, Bot API and WeCom on http://%s:%d", http_socket)
        started()
        await stop.wait()
        mail.close()
        web.close()
        await _finish(state)


def _http_protocol(
    config: SandboxConfig, store: Store, faults: FaultBook, state: ServerState
) -> Callable[[], BreakableProtocol]:
    """What makes the protocol of one HTTP connection. `state` lists those that are open."""
    bots = BotApi(store, faults, has_limits=config.has_limits)
    app = Starlette(
        routes=[
            Route("/bot{token}/{method}", bots.endpoint, methods=["GET", "POST"]),
            *People(store, bots.updates).routes(),
            Route("/cgi-bin/webhook/send", WeComRobot(store, faults).endpoint, methods=["POST"]),
            *WeComApp(store, faults).routes(),
            *OfficialAccount(store, faults).routes(),
            *Feishu(store, faults).routes(),
            *DingTalk(store, faults).routes(),
            *Control(store, faults).routes(),
            *Pages(store, Templates(config.templates_override)).routes(),
        ]
    )
    settings = uvicorn.Config(app, ws="none", lifespan="off", log_config=None, access_log=False)
    settings.load()
    return lambda: BreakableProtocol(settings, state, {})


def _announce(what: str, listener: socket.socket) -> None:
    logger.info(f"sandbox: {what}", *listener.getsockname()[:2])


async def _finish(state: ServerState) -> None:
    """Let requests under way end, within the grace; idle connections are closed at once."""
    for connection in list(state.connections):
        connection.shutdown()
    if state.tasks:
        await asyncio.wait(state.tasks, timeout=_GRACE_SECONDS)
