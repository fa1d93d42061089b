"""A web server on this machine that answers as a test tells it to, and remembers who asked."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


#: Answers by hand: writes what it likes to the connection.
ByHand = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """What stands at which path; anything else is 404."""

    def __init__(self, host: str, port: int, scheme: str) -> None:
        self.root = f"{scheme}://{host}:{port}"
        self.pages: dict[str, Answer | ByHand] = {}
        #: Path and headers of each request, in order.
        self.requests: list[tuple[str, Message]] = []

    def url(self, path: str) -> str:
        return f"{self.root}{path}"

    def put(self, path: str, body: str | bytes, **headers: str) -> str:
        """Let `body` stand at `path`, with `headers` as `content_type`; returns its address."""
        content = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = Answer(content, headers=named)
        return self.url(path)

    def redirect(self, path: str, to: str) -> str:
        self.pages[path] = Answer(status=302, headers={"Location": to})
        return self.url(path)


@contextmanager
def site(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """A site of its own at a free port of `host`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.requests.append((self.path, self.headers))
            page = made.pages.get(self.path, Answer(status=404))
            if not isinstance(page, Answer):
                page(self)
                return
            etag = page.headers.get("ETag")
            if etag is not None and self.headers.get("If-None-Match") == etag:
                page = Answer(status=304)
            self.send_response(page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(page.body)))
            self.end_headers()
            self.wfile.write(page.body)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Clients that hang up are what tests are about."""

    server = Server((host, 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    made = Site(host, server.server_port, "http" if tls is None else "https")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
