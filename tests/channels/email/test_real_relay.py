"""Delivery through aiosmtpd: a relay that keeps to the protocol, with encryption and login."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from channels.base import AccountUnreachable, Edition, Fault, Verdict
from channels.email import CHANNEL
from tests.channels.email.conftest import account_for, reader


class Inbox:
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        self.envelopes.append(envelope)
        return "250 2.0.0 Kept"


def accepts_one_login(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
) -> AuthResult:
    right = data == LoginPassword(b"daily", b"right")
    return AuthResult(success=right, handled=False)


StartServer = Callable[..., tuple[Inbox, int]]


@pytest.fixture
def serve() -> Iterator[StartServer]:
    running: list[Controller] = []

    def start(**options: Any) -> tuple[Inbox, int]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        inbox = Inbox()
        controller = Controller(inbox, hostname="127.0.0.1", port=port, **options)
        controller.start()
        running.append(controller)
        return inbox, port

    yield start
    for controller in running:
        controller.stop()


def test_a_message_arrives_as_it_was_made(serve: StartServer, edition: Edition) -> None:
    inbox, port = serve()
    connection = CHANNEL.connect(account_for(port, envelope_from="bounces@news.example.org"))

    outcome = connection.deliver(
        CHANNEL.render(edition, account_for()).parts[0], reader(bounce_token="c-1e240-abc")
    )
    connection.close()

    assert outcome.verdict is Verdict.SENT
    envelope = inbox.envelopes[0]
    assert envelope.mail_from == "bounces+c-1e240-abc@news.example.org"
    assert envelope.rcpt_tos == ["reader@example.net"]
    message = message_from_bytes(envelope.content, policy=policy.default)
    assert message["Subject"] == edition.digest.title


def test_an_address_in_chinese_is_delivered_where_the_relay_takes_it(
    serve: StartServer, edition: Edition
) -> None:
    inbox, port = serve(enable_SMTPUTF8=True)
    connection = CHANNEL.connect(account_for(port))

    outcome = connection.deliver(
        CHANNEL.render(edition, account_for()).parts[0], reader(address="读者@example.net")
    )
    connection.close()

    assert outcome.verdict is Verdict.SENT
    assert inbox.envelopes[0].rcpt_tos == ["读者@example.net"]


def test_nothing_is_sent_when_starttls_is_wanted_and_not_offered(
    serve: StartServer, edition: Edition
) -> None:
    inbox, port = serve()
    connection = CHANNEL.connect(account_for(port, security="starttls"))

    outcome = connection.deliver(CHANNEL.render(edition, account_for()).parts[0], reader())

    assert (outcome.verdict, outcome.code) == (Verdict.RETRYING, "smtp-no-starttls")
    assert outcome.fault is Fault.ACCOUNT
    assert "does not offer STARTTLS" in outcome.reply
    assert inbox.envelopes == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_refused_unless_allowed(
    serve: StartServer, edition: Edition, certificate: ssl.SSLContext, security: str
) -> None:
    option = "tls_context" if security == "starttls" else "ssl_context"
    inbox, port = serve(**{option: certificate})
    part = CHANNEL.render(edition, account_for()).parts[0]
    strict = CHANNEL.connect(account_for(port, security=security))
    lenient = CHANNEL.connect(account_for(port, security=security, verify_certificates=False))

    refused, sent = strict.deliver(part, reader()), lenient.deliver(part, reader())
    lenient.close()

    assert (refused.verdict, refused.code) == (Verdict.RETRYING, "smtp-certificate")
    assert sent.verdict is Verdict.SENT
    assert len(inbox.envelopes) == 1


def test_tls_to_a_port_that_speaks_none_says_what_to_check(
    serve: StartServer, edition: Edition
) -> None:
    _, port = serve()
    connection = CHANNEL.connect(account_for(port, security="tls"))

    outcome = connection.deliver(CHANNEL.render(edition, account_for()).parts[0], reader())

    assert (outcome.verdict, outcome.code) == (Verdict.RETRYING, "smtp-tls")
    assert "port and security" in outcome.reply


class TestCheck:
    def test_says_what_answered(self, serve: StartServer) -> None:
        _, port = serve()

        sentence = CHANNEL.check(account_for(port))

        assert f"127.0.0.1:{port} answered with no encryption, no login" in sentence
        assert "SMTPUTF8" in sentence

    def test_signs_in(self, serve: StartServer) -> None:
        _, port = serve(authenticator=accepts_one_login, auth_require_tls=False)

        sentence = CHANNEL.check(account_for(port, username="daily", password="right"))

        assert "signed in as daily" in sentence

    @pytest.mark.parametrize("left_out", ["PLAIN", "LOGIN"])
    def test_signs_in_in_either_of_two_ways(self, serve: StartServer, left_out: str) -> None:
        _, port = serve(
            authenticator=accepts_one_login,
            auth_require_tls=False,
            auth_exclude_mechanism=[left_out],
        )

        sentence = CHANNEL.check(account_for(port, username="daily", password="right"))

        assert "signed in as daily" in sentence

    def test_wrong_credentials_are_an_error_without_the_password(self, serve: StartServer) -> None:
        _, port = serve(authenticator=accepts_one_login, auth_require_tls=False)

        with pytest.raises(AccountUnreachable, match="535") as caught:
            CHANNEL.check(account_for(port, username="daily", password="wr0ng-secret"))

        assert "wr0ng-secret" not in str(caught.value)

    def test_a_relay_without_login_says_so(self, serve: StartServer) -> None:
        _, port = serve()

        with pytest.raises(AccountUnreachable, match="offers no way to sign in"):
            CHANNEL.check(account_for(port, username="daily", password="right"))

    def test_nobody_listening_is_an_error_with_the_place(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]

        with pytest.raises(AccountUnreachable, match=f"127.0.0.1:{port}"):
            CHANNEL.check(account_for(port))
