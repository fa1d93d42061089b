"""A Bot API on a local port that answers as it is told."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

Answer = Callable[[BaseHTTPRequestHandler], None]


class BotApi:
    """Accepts every call and numbers the messages, unless `answers` holds something else."""

    def __init__(self) -> None:
        #: Calls in order: the path after the host and the parameters.
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.answers: deque[Answer] = deque()
        #: Ports of the clients that called.
        self.peers: set[int] = set()
        self.closing = threading.Event()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version: ClassVar[str] = "HTTP/1.1"  # type: ignore[misc]

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                api.calls.append((self.path, json.loads(body or b"{}")))
                api.peers.add(self.client_address[1])
                answer = api.answers.popleft() if api.answers else api.accept
                answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/bot"

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def accept(self, handler: BaseHTTPRequestHandler) -> None:
        """As Telegram would."""
        path, parameters = self.calls[-1]
        if path.endswith("/getMe"):
            result: dict[str, Any] = {"id": 7, "is_bot": True, "first_name": "Bot", "username": "b"}
        elif path.endswith("inChatMessage"):
            return reply(200, {"ok": True, "result": True})(handler)
        else:
            chat = {"id": -1001, "type": "channel", "title": parameters["chat_id"]}
            result = {"message_id": len(self.calls), "date": 0, "chat": chat}
        return reply(200, {"ok": True, "result": result})(handler)

    def silence(self, handler: BaseHTTPRequestHandler) -> None:
        """Never answer."""
        self.closing.wait()
        handler.close_connection = True


def reply(status: int, body: Mapping[str, Any] | str) -> Answer:
    """An answer with `body`, as JSON unless it is text."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def error(status: int, description: str, **parameters: object) -> Answer:
    """An error as the Bot API words it."""
    body = {"ok": False, "error_code": status, "description": description}
    return reply(status, {**body, "parameters": parameters} if parameters else body)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection in place of an answer."""
    handler.close_connection = True
