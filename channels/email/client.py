"""smtplib's client, for which every reply has an end.

smtplib's own time-out begins anew with each octet, and it reads any number of lines: a server
that says a little now and then would hold it for ever.
"""

from __future__ import annotations

import smtplib
import socket
import time
from typing import TypeAlias

#: What smtplib returns for a command: the reply code and the words.
RawReply: TypeAlias = tuple[int, bytes]

#: What smtplib returns for a reply without a code.
NO_CODE = -1

_PIECE = 8192
#: Octets of a reply. The longest that servers really give, to EHLO, have a few hundred.
_MOST = 65536
_CODE_DIGITS = 3
_GOES_ON = b"-"


class ReplyReader:
    """Reads replies from a socket with a time-out, which holds for each reply as a whole.

    What arrives beyond a reply is kept for the next one: with PIPELINING they come together.
    """

    __slots__ = ("_lines", "_received", "_socket")

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._received = b""
        self._lines: list[bytes] = []

    def read(self) -> RawReply:
        """The next reply, its lines joined by newlines; its code is -1 when it has none.

        Raises an `OSError` when the connection ends, or the reply does not end: within the
        socket's time-out, or within 64 KiB.
        """
        began = time.monotonic()
        if (reply := self._whole()) is not None:
            return reply
        # Nearly every reply comes in one piece, so that the socket's time-out is as it should be.
        self._receive()
        if (reply := self._whole()) is not None:
            return reply
        return self._read_on(began)

    def close(self) -> None:
        """For smtplib, which closes what it reads from; the socket is its own."""

    def _read_on(self, began: float) -> RawReply:
        """The rest of a reply that has been waited for since `began`."""
        patience = self._socket.gettimeout()
        if patience is None:
            raise ValueError("a socket without a time-out might be read for ever")
        octets = len(self._received)
        try:
            while (reply := self._whole()) is None:
                left = began + patience - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"its reply did not end within {patience:g} seconds")
                if octets > _MOST:
                    raise ConnectionError(f"its reply did not end within {_MOST} octets")
                self._socket.settimeout(left)
                octets += self._receive()
        finally:
            self._socket.settimeout(patience)
        return reply

    def _receive(self) -> int:
        """Wait for more; returns how many octets came."""
        piece = self._socket.recv(_PIECE)
        if not piece:
            raise ConnectionError("Connection unexpectedly closed")
        self._received += piece
        return len(piece)

    def _whole(self) -> RawReply | None:
        """The next reply if all of it is here (RFC 5321, section 4.2.1)."""
        while True:
            line, newline, rest = self._received.partition(b"\n")
            if not newline:
                return None
            self._received = rest
            self._lines.append(line[4:].strip())
            digits = line[:_CODE_DIGITS]
            code = int(digits) if digits.isdigit() else NO_CODE
            if code == NO_CODE or line[3:4] != _GOES_ON:
                words = b"\n".join(self._lines)
                self._lines.clear()
                return code, words


class Client(smtplib.SMTP):
    """Plain at first; every reply, from the greeting to the one to QUIT, has an end."""

    def getreply(self) -> RawReply:
        """The next reply. Raises `SMTPServerDisconnected`, and closes, when it does not end."""
        try:
            return self._reader().read()
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected(str(error)) from error

    def _reader(self) -> ReplyReader:
        # smtplib forgets its `file` when TLS begins: what was said in the clear must not count.
        if self.file is None:
            if self.sock is None:
                raise ConnectionError("the connection is closed")
            self.file = ReplyReader(self.sock)
        reader: ReplyReader = self.file
        return reader


class TlsClient(Client, smtplib.SMTP_SSL):
    """The same over TLS from the first octet."""
