"""Replies as they come off the socket."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator

import pytest

from channels.email.client import ReplyReader


class CountedSocket(socket.socket):
    """A socket that counts what the operating system is asked for."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(fileno=sock.detach())
        self.calls: Counter[str] = Counter()

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        self.calls["recv"] += 1
        return super().recv(bufsize, flags)

    def settimeout(self, value: float | None) -> None:
        self.calls["settimeout"] += 1
        super().settimeout(value)


Pair = tuple[CountedSocket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Our end and the server's."""
    ours, servers = socket.socketpair()
    ours.settimeout(5)
    counted = CountedSocket(ours)
    counted.settimeout(5)
    counted.calls.clear()
    with counted, servers:
        yield counted, servers


def test_a_reply_in_one_piece_costs_one_call(pair: Pair) -> None:
    ours, server = pair
    server.sendall(b"250-news.example.org\r\n250 PIPELINING\r\n")

    assert ReplyReader(ours).read() == (250, b"news.example.org\nPIPELINING")
    assert ours.calls == {"recv": 1}


def test_replies_that_come_together_cost_one_call(pair: Pair) -> None:
    ours, server = pair
    server.sendall(b"250 2.1.0 Ok\r\n550 5.1.1 No such user\r\n354 Go ahead\r\n")
    replies = ReplyReader(ours)

    assert [replies.read() for _ in range(3)] == [
        (250, b"2.1.0 Ok"),
        (550, b"5.1.1 No such user"),
        (354, b"Go ahead"),
    ]
    assert ours.calls == {"recv": 1}


def test_a_reply_in_pieces_is_put_together_and_the_time_out_is_as_before(pair: Pair) -> None:
    ours, server = pair
    words = b"x" * 20_000
    server.sendall(b"250-" + words + b"\r\n250 end\r\n")

    assert ReplyReader(ours).read() == (250, words + b"\nend")
    assert ours.gettimeout() == 5


@pytest.mark.parametrize("line", [b"??? nonsense", b"", b"2x0 ok", b"-50 ok"])
def test_a_line_without_a_code_is_told_by_one_that_cannot_be(pair: Pair, line: bytes) -> None:
    ours, server = pair
    server.sendall(line + b"\r\n")

    code, _ = ReplyReader(ours).read()

    assert code == -1


def test_a_reply_that_is_cut_off_is_none(pair: Pair) -> None:
    ours, server = pair
    server.sendall(b"250 2.0.0 O")
    server.shutdown(socket.SHUT_WR)

    with pytest.raises(ConnectionError, match="unexpectedly closed"):
        ReplyReader(ours).read()
