"""A relay on a real socket whose replies are scripted, to fail at an exact moment."""

from __future__ import annotations

import socket
import socketserver
import ssl
import struct
import threading

#: In a script, for "close the connection instead of answering".
HANG_UP = None
#: In a script, for "say nothing and keep the connection open".
SILENCE = ""
#: In a script, for a reply without end, a line now and then or all at once.
DRIP, FLOOD = "drip", "flood"
#: In a script, as the step `rest` after an accepted message: cut the connection when told to.
CUT = "cut"

#: Between two lines of a drip, in seconds.
_DRIP_SECONDS = 0.02

_DEFAULTS = {
    "greeting": "220 scripted relay",
    "ehlo": "250 scripted relay",
    "mail": "250 2.1.0 Ok",
    "rcpt": "250 2.1.5 Ok",
    "data": "354 Go ahead",
    "content": "250 2.0.0 Ok: queued as 4F1",
    "rset": "250 2.0.0 Ok",
    "quit": "221 2.0.0 Bye",
}


class _HangUp(Exception):
    pass


class _Conversation(socketserver.StreamRequestHandler):
    server: _Server

    def setup(self) -> None:
        if (tls := self.server.relay.tls) is not None:
            self.request = tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def handle(self) -> None:
        self.server.relay.connections += 1
        try:
            self._answer("greeting")
            while True:
                self._command(self._next_line())
        except (_HangUp, ConnectionError):
            return

    def _next_line(self) -> bytes:
        """The next command; notes what has arrived together with it.

        A client that is gone leaves no note: it may go while others are served.
        """
        together = self.rfile.peek()  # type: ignore[attr-defined]
        if not together:
            raise _HangUp
        self.server.relay.arrived.append(together)
        return self.rfile.readline()

    def _command(self, line: bytes) -> None:
        relay = self.server.relay
        relay.commands.append(line.decode().rstrip())
        verb = line[:4].decode().lower()
        self._answer(verb)
        if verb == "data" and relay.last_reply.startswith("354"):
            relay.messages.append(self._content())
            self._answer("content")
            if relay.next_reply("rest") == CUT:
                self._cut()
        if verb == "quit":
            raise _HangUp

    def _never_end(self, how: str) -> None:
        """Go on with a reply until the client has had enough of it."""
        while not self.server.relay.stopping.is_set():
            self.wfile.write(b"250-and\r\n")
            if how == DRIP:
                self.server.relay.stopping.wait(_DRIP_SECONDS)

    def _cut(self) -> None:
        """End the connection by a RST, as a firewall does that forgot it."""
        self.server.relay.may_cut.wait()
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.request.close()
        self.server.relay.has_cut.set()
        raise _HangUp

    def _content(self) -> bytes:
        content = b""
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise _HangUp
            content += line.removeprefix(b".")
        return content

    def _answer(self, step: str) -> None:
        reply = self.server.relay.next_reply(step)
        if reply is HANG_UP:
            raise _HangUp
        if reply in (DRIP, FLOOD):
            self._never_end(reply)
        if reply != SILENCE:
            self.wfile.write(reply.replace("\n", "\r\n").encode() + b"\r\n")
        if reply.startswith("421"):
            raise _HangUp


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    relay: ScriptedRelay


class ScriptedRelay:
    """Listens at once. `script` names a step (`rcpt`, `content`, …) and its first replies.

    With `tls` it speaks TLS from the first byte.
    """

    def __init__(
        self, script: dict[str, list[str | None]], tls: ssl.SSLContext | None = None
    ) -> None:
        self._script = script
        self.tls = tls
        self.stopping = threading.Event()
        self.may_cut, self.has_cut = threading.Event(), threading.Event()
        self.connections = 0
        self.commands: list[str] = []
        #: For each command, the octets that had arrived when it was read, itself included.
        self.arrived: list[bytes] = []
        self.messages: list[bytes] = []
        self.last_reply = ""
        self._server = _Server(("127.0.0.1", 0), _Conversation)
        self._server.relay = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def port(self) -> int:
        port: int = self._server.server_address[1]
        return port

    def next_reply(self, step: str) -> str | None:
        waiting = self._script.get(step)
        reply = waiting.pop(0) if waiting else _DEFAULTS.get(step, "500 5.5.1 What?")
        self.last_reply = reply or ""
        return reply

    def cut(self) -> None:
        """Cut the connection that `CUT` was for; returns when that is done."""
        self.may_cut.set()
        self.has_cut.wait()

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
