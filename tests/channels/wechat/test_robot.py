"""Delivery over real HTTP, to a server that behaves as it is told."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest

from channels.base import AccountUnreachable, Outcome, Part, Recipient, Verdict
from channels.wechat import CHANNEL
from channels.wechat.account import WeChatAccount
from channels.wechat.robot import RobotConnection

KEY = "693a91f6-7cbc-4bc4-97a0-0ec2a6fa7b2c"
ROBOT = Recipient(KEY, "send-1-revision-1-subscriber-1")
PART = Part(1, {"msgtype": "text", "text": {"content": "早安 “AI” 👋"}})


@dataclass
class WeCom:
    """Keeps what it was sent and answers with `answer`; None hangs up, `silent` never answers."""

    url: str = ""
    answer: bytes | None = b'{"errcode":0,"errmsg":"ok"}'
    status: int = 200
    silent: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, bytes, str]] = field(default_factory=list)
    peers: set[int] = field(default_factory=set)
    closing: Event = field(default_factory=Event)


@pytest.fixture
def wecom() -> Iterator[WeCom]:
    state = WeCom()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.requests.append((self.path, body, self.headers["Content-Type"]))
            state.peers.add(self.client_address[1])
            self.respond()

        def do_GET(self) -> None:
            state.requests.append((self.path, b"", ""))
            self.respond()

        def respond(self) -> None:
            if state.silent:
                state.closing.wait(5)
            if state.silent or state.answer is None:
                self.close_connection = True
                return
            self.send_response(state.status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(state.answer)))
            self.end_headers()
            self.wfile.write(state.answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    state.closing.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def connection(wecom: WeCom) -> Iterator[RobotConnection]:
    opened = RobotConnection(account(wecom.url))
    yield opened
    opened.close()


def account(base_url: str, timeout_seconds: float = 5) -> WeChatAccount:
    return WeChatAccount(name="group", base_url=base_url, timeout_seconds=timeout_seconds)


def deliver_to(base_url: str, timeout_seconds: float = 5) -> Outcome:
    connection = RobotConnection(account(base_url, timeout_seconds))
    try:
        return connection.deliver(PART, ROBOT)
    finally:
        connection.close()


def test_body_is_posted_as_utf8_without_escapes(wecom: WeCom, connection: RobotConnection) -> None:
    assert connection.deliver(PART, ROBOT).verdict is Verdict.SENT
    [(path, body, content_type)] = wecom.requests
    assert path == f"/cgi-bin/webhook/send?key={KEY}"
    assert body == json.dumps(PART.payload, ensure_ascii=False).encode()
    assert content_type == "application/json; charset=utf-8"


def test_connection_is_kept_open_between_deliveries(
    wecom: WeCom, connection: RobotConnection
) -> None:
    for _ in range(3):
        connection.deliver(PART, ROBOT)
    assert len(wecom.requests) == 3
    assert len(wecom.peers) == 1


def test_reply_is_read_as_utf8_whatever_it_claims_to_be(
    wecom: WeCom, connection: RobotConnection
) -> None:
    wecom.headers = {"Content-Type": "text/plain; charset=iso-8859-1"}
    wecom.answer = '{"errcode":40058,"errmsg":"不合法的参数"}'.encode()
    assert "不合法的参数" in connection.deliver(PART, ROBOT).reply


def test_key_in_a_reply_is_hidden(wecom: WeCom, connection: RobotConnection) -> None:
    wecom.answer = f'{{"errcode":93000,"errmsg":"invalid key {KEY}"}}'.encode()
    outcome = connection.deliver(PART, ROBOT)
    assert "robot …7b2c" in outcome.reply
    assert KEY not in repr(outcome)


def test_key_is_not_logged(connection: RobotConnection, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        connection.deliver(PART, ROBOT)
    assert "/cgi-bin/webhook/send?key=…" in caplog.text
    assert KEY not in caplog.text


def test_redirect_is_not_followed_with_the_key(wecom: WeCom, connection: RobotConnection) -> None:
    wecom.status, wecom.answer = 302, b""
    wecom.headers = {"Location": f"{wecom.url}/elsewhere"}
    assert connection.deliver(PART, ROBOT).code == "wecom-http-302"
    assert len(wecom.requests) == 1


def test_connection_lost_after_the_request_leaves_the_fate_unknown(
    wecom: WeCom, connection: RobotConnection
) -> None:
    wecom.answer = None
    outcome = connection.deliver(PART, ROBOT)
    assert (outcome.verdict, outcome.code) == (Verdict.UNKNOWN, "wecom-unanswered")
    assert len(wecom.requests) == 1


def test_answer_that_does_not_come_in_time_leaves_the_fate_unknown(wecom: WeCom) -> None:
    wecom.silent = True
    assert deliver_to(wecom.url, timeout_seconds=0.1).verdict is Verdict.UNKNOWN


def test_refused_connection_is_tried_again() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        outcome = deliver_to(f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert (outcome.verdict, outcome.code) == (Verdict.RETRYING, "wecom-unreachable")
    assert KEY not in outcome.reply


def test_failed_tls_handshake_is_tried_again(wecom: WeCom) -> None:
    outcome = deliver_to(wecom.url.replace("http://", "https://"))
    assert (outcome.verdict, outcome.code) == (Verdict.RETRYING, "wecom-unreachable")


def test_next_delivery_connects_again_after_a_loss(
    wecom: WeCom, connection: RobotConnection
) -> None:
    wecom.answer = None
    connection.deliver(PART, ROBOT)
    wecom.answer = b'{"errcode":0,"errmsg":"ok"}'
    assert connection.deliver(PART, ROBOT).verdict is Verdict.SENT


def test_closing_twice_is_safe(connection: RobotConnection) -> None:
    connection.close()
    connection.close()


def test_check_takes_any_answer_for_reachable_and_sends_no_key(wecom: WeCom) -> None:
    wecom.status, wecom.answer = 404, b"<html>not here</html>"
    assert f"{wecom.url} answered HTTP 404" in CHANNEL.check(account(wecom.url))
    assert wecom.requests == [("/", b"", "")]


def test_check_says_what_to_look_at_when_nothing_answers() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(AccountUnreachable, match=r"does not answer .* base_url"):
            CHANNEL.check(account(url))
