"""What becomes of a delivery, whatever the relay does and whenever it does it."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes

import pytest

from channels.base import Connection, Edition, Fault, Part, Recipient, Verdict
from channels.email import CHANNEL
from tests.channels.email.conftest import account_for, reader
from tests.channels.email.relay import CUT, DRIP, FLOOD, HANG_UP, SILENCE, ScriptedRelay

StartRelay = Callable[..., ScriptedRelay]


@pytest.fixture
def part(edition: Edition) -> Part:
    return CHANNEL.render(edition, account_for()).parts[0]


@pytest.fixture
def connect() -> Iterator[Callable[..., Connection]]:
    """Opens connections that are closed at the end of the test."""
    opened: list[Connection] = []

    def open_one(relay: ScriptedRelay, **settings: object) -> Connection:
        opened.append(CHANNEL.connect(account_for(relay.port, **settings)))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()


Connect = Callable[..., Connection]


def readers(count: int) -> list[Recipient]:
    return [reader(identity=f"s1-{number}") for number in range(count)]


def test_an_accepted_message_is_sent_with_the_relays_words(
    relay: StartRelay, connect: Connect, part: Part
) -> None:
    server = relay()

    outcome = connect(server).deliver(part, reader())

    assert outcome.verdict is Verdict.SENT
    assert outcome.code == "ok"
    assert outcome.reply == "2.0.0 Ok: queued as 4F1"
    assert outcome.message_id == "<send1-5f2b-reader1@news.example.org>"
    assert message_from_bytes(server.messages[0])["Message-ID"] == outcome.message_id


def test_opens_nothing_before_the_first_delivery(relay: StartRelay, connect: Connect) -> None:
    server = relay()

    connect(server)

    assert server.connections == 0


class TestReuse:
    def test_one_connection_carries_many_messages_with_nothing_between_them(
        self, relay: StartRelay, connect: Connect, part: Part
    ) -> None:
        server = relay()
        connection = connect(server)

        outcomes = [connection.deliver(part, one) for one in readers(3)]

        assert {outcome.verdict for outcome in outcomes} == {Verdict.SENT}
        assert server.connections == 1
        assert [command[:4] for command in server.commands] == [
            "ehlo",
            *["MAIL", "RCPT", "DATA"] * 3,
        ]

    def test_a_refused_recipient_does_not_end_the_connection(
        self, relay: StartRelay, connect: Connect, part: Part
    ) -> None:
        server = relay(rcpt=["550 5.1.1 No such user"])
        connection = connect(server)

        first, second = (connection.deliver(part, one) for one in readers(2))

        assert (first.verdict, first.suppress) == (Verdict.FAILED, "address-dead")
        assert second.verdict is Verdict.SENT
        assert server.connections == 1
        assert server.commands[3] == "RSET"

    def test_a_new_connection_is_opened_after_the_set_number_of_messages(
        self, relay: StartRelay, connect: Connect, part: Part
    ) -> None:
        server = relay()
        connection = connect(server, messages_per_connection=2)

        for one in readers(5):
            assert connection.deliver(part, one).verdict is Verdict.SENT

        assert server.connections == 3

    @pytest.mark.parametrize("ending", [HANG_UP, "421 4.7.0 Enough messages on this connection"])
    def test_a_connection_closed_between_messages_is_opened_again(
        self, relay: StartRelay, connect: Connect, part: Part, ending: str | None
    ) -> None:
        server = relay(mail=["250 2.1.0 Ok", ending])
        connection = connect(server)

        outcomes = [connection.deliver(part, one) for one in readers(2)]

        assert {outcome.verdict for outcome in outcomes} == {Verdict.SENT}
        assert server.connections == 2

    @pytest.mark.parametrize("offer", ["250 scripted", "250-scripted\n250 PIPELINING"], ids=str)
    @pytest.mark.parametrize("security", ["none", "tls"])
    def test_a_connection_cut_between_messages_is_opened_again(
        self,
        relay: StartRelay,
        connect: Connect,
        part: Part,
        certificate: ssl.SSLContext,
        security: str,
        offer: str,
    ) -> None:
        tls = certificate if security == "tls" else None
        server = relay(tls=tls, ehlo=[offer, offer], rest=[CUT])
        connection = connect(server, security=security, verify_certificates=False)

        outcomes = [connection.deliver(part, reader(identity="s1-0"))]
        server.cut()
        outcomes += [connection.deliver(part, one) for one in readers(3)[1:]]

        assert {outcome.verdict for outcome in outcomes} == {Verdict.SENT}
        assert (server.connections, len(server.messages)) == (2, 3)

    def test_a_relay_that_also_breaks_pipelining_after_that_still_gets_the_message(
        self, relay: StartRelay, connect: Connect, part: Part
    ) -> None:
        offer = "250-scripted\n250 PIPELINING"
        server = relay(
            ehlo=[offer] * 3, mail=["250 2.1.0 Ok", HANG_UP], rcpt=["250 2.1.5 Ok", HANG_UP]
        )
        connection = connect(server)

        outcomes = [connection.deliver(part, one) for one in readers(2)]

        assert {outcome.verdict for outcome in outcomes} == {Verdict.SENT}
        assert server.connections == 3

    def test_after_421_the_delivery_is_retried_and_the_next_one_reconnects(
        self, relay: StartRelay, connect: Connect, part: Part
    ) -> None:
        server = relay(mail=["421 4.3.2 Shutting down"])
        connection = connect(server)

        first, second = (connection.deliver(part, one) for one in readers(2))

        assert (first.verdict, first.code) == (Verdict.RETRYING, "smtp-421-4.3.2")
        assert second.verdict is Verdict.SENT
        assert server.connections == 2

    def test_closing_says_goodbye_and_may_be_done_twice(
        self, relay: StartRelay, connect: Connect, part: Part
    ) -> None:
        server = relay()
        connection = connect(server)
        connection.deliver(part, reader())

        connection.close()
        connection.close()

        assert server.commands[-1].lower() == "quit"

    def test_a_goodbye_without_end_is_not_waited_for(
        self, relay: StartRelay, connect: Connect, part: Part
    ) -> None:
        server = relay(quit=[FLOOD])
        connection = connect(server)
        connection.deliver(part, reader())

        connection.close()

        assert server.commands[-1].lower() == "quit"


class TestBeforeTheFinalDot:
    @pytest.mark.parametrize("step", ["greeting", "ehlo", "mail", "rcpt", "data"])
    @pytest.mark.parametrize(("failure", "patience"), [(HANG_UP, 60), (SILENCE, 1)])
    def test_a_connection_lost_or_stalled_is_retried(
        self,
        relay: StartRelay,
        connect: Connect,
        part: Part,
        step: str,
        failure: str | None,
        patience: float,
    ) -> None:
        server = relay(**{step: [failure]})

        outcome = connect(server, timeout_seconds=patience).deliver(part, reader())

        assert outcome.verdict is Verdict.RETRYING
        assert outcome.fault is Fault.PROVIDER
        assert outcome.code in {"smtp-lost", "smtp-unreachable"}
        assert str(server.port) in outcome.reply

    @pytest.mark.parametrize("step", ["greeting", "mail", "rcpt", "data", "content"])
    def test_a_4xx_reply_is_retried(
        self, relay: StartRelay, connect: Connect, part: Part, step: str
    ) -> None:
        outcome = connect(relay(**{step: ["451 4.7.1 Try later"]})).deliver(part, reader())

        assert (outcome.verdict, outcome.code) == (Verdict.RETRYING, "smtp-451-4.7.1")

    @pytest.mark.parametrize("step", ["rcpt", "data", "content"])
    def test_once_the_reader_was_named_a_4xx_reply_is_about_their_domain(
        self, relay: StartRelay, connect: Connect, part: Part, step: str
    ) -> None:
        outcome = connect(relay(**{step: ["451 4.7.1 Try later"]})).deliver(part, reader())

        assert (outcome.fault, outcome.destination) == (Fault.DESTINATION, "@example.net")
        assert outcome.stops is None

    def test_the_patience_for_a_whole_message_is_not_that_for_the_next_command(
        self, relay: StartRelay, connect: Connect, part: Part
    ) -> None:
        server = relay(mail=["250 2.1.0 Ok", SILENCE])
        connection = connect(server, timeout_seconds=1, final_timeout_seconds=10)
        connection.deliver(part, reader())

        began = time.monotonic()
        stalled = connection.deliver(part, reader(identity="s1-1"))

        assert time.monotonic() - began < 5
        assert stalled.verdict is Verdict.SENT

    def test_a_relay_that_cannot_begin_anew_gets_a_new_connection(
        self, relay: StartRelay, connect: Connect, part: Part
    ) -> None:
        server = relay(rcpt=["550 5.1.1 No such user"], rset=["500 5.5.1 What?"])
        connection = connect(server)

        _, second = (connection.deliver(part, one) for one in readers(2))

        assert second.verdict is Verdict.SENT
        assert server.connections == 2

    def test_nobody_listening_is_retried_and_says_where(self, part: Part) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        connection = CHANNEL.connect(account_for(port))

        outcome = connection.deliver(part, reader())

        assert (outcome.verdict, outcome.code) == (Verdict.RETRYING, "smtp-unreachable")
        assert f"127.0.0.1:{port}" in outcome.reply

    @pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 300])
    def test_a_host_that_cannot_be_found_is_retried_and_named(self, part: Part, host: str) -> None:
        outcome = CHANNEL.connect(account_for(host=host)).deliver(part, reader())

        assert (outcome.verdict, outcome.code) == (Verdict.RETRYING, "smtp-unreachable")
        assert host in outcome.reply

    def test_a_reply_without_end_is_no_acceptance_and_no_crash(
        self, relay: StartRelay, connect: Connect, part: Part
    ) -> None:
        server = relay(mail=["250 " + "x" * 100_000])

        assert connect(server).deliver(part, reader()).verdict is Verdict.RETRYING

    @pytest.mark.parametrize("step", ["greeting", "ehlo", "mail", "rcpt", "data"])
    @pytest.mark.parametrize(("endless", "patience"), [(DRIP, 0.5), (FLOOD, 60)])
    def test_a_reply_of_lines_without_end_is_a_lost_connection(
        self,
        relay: StartRelay,
        connect: Connect,
        part: Part,
        step: str,
        endless: str,
        patience: float,
    ) -> None:
        server = relay(**{step: [endless]})
        connection = connect(server, timeout_seconds=patience)

        first, second = (connection.deliver(part, one) for one in readers(2))

        assert (first.verdict, first.fault) == (Verdict.RETRYING, Fault.PROVIDER)
        assert first.code in {"smtp-lost", "smtp-unreachable"}
        assert "did not end within" in first.reply or "timed out" in first.reply
        assert second.verdict is Verdict.SENT


class TestAfterTheFinalDot:
    @pytest.mark.parametrize(
        ("failure", "patience"),
        [(HANG_UP, 60), (SILENCE, 1), ("??? nonsense", 60), ("354 go on", 60)],
        ids=str,
    )
    def test_without_a_clear_answer_the_fate_is_unknown(
        self,
        relay: StartRelay,
        connect: Connect,
        part: Part,
        failure: str | None,
        patience: float,
    ) -> None:
        server = relay(content=[failure])

        outcome = connect(server, timeout_seconds=60, final_timeout_seconds=patience).deliver(
            part, reader()
        )

        assert (outcome.verdict, outcome.code) == (Verdict.UNKNOWN, "smtp-lost-after-data")
        assert outcome.message_id is not None
        assert len(server.messages) == 1

    @pytest.mark.parametrize(("endless", "patience"), [(DRIP, 0.2), (FLOOD, 60)])
    def test_after_a_reply_of_lines_without_end_the_fate_is_unknown(
        self, relay: StartRelay, connect: Connect, part: Part, endless: str, patience: float
    ) -> None:
        server = relay(content=[endless])

        outcome = connect(server, final_timeout_seconds=patience).deliver(part, reader())

        assert (outcome.verdict, outcome.code) == (Verdict.UNKNOWN, "smtp-lost-after-data")

    def test_the_next_delivery_gets_a_new_connection(
        self, relay: StartRelay, connect: Connect, part: Part
    ) -> None:
        server = relay(content=[HANG_UP])
        connection = connect(server)

        first, second = (connection.deliver(part, one) for one in readers(2))

        assert (first.verdict, second.verdict) == (Verdict.UNKNOWN, Verdict.SENT)

    def test_a_refusal_of_the_message_is_a_failure(
        self, relay: StartRelay, connect: Connect, part: Part
    ) -> None:
        outcome = connect(relay(content=["554 5.6.0 Malformed"])).deliver(part, reader())

        assert (outcome.verdict, outcome.fault) == (Verdict.FAILED, Fault.CONTENT)
        assert (outcome.suppress, outcome.stops) == (None, None)


class TestOurOwnFault:
    @pytest.mark.parametrize("step", ["rcpt", "content"])
    def test_a_policy_refusal_stops_the_readers_domain_and_suppresses_nobody(
        self, relay: StartRelay, connect: Connect, part: Part, step: str
    ) -> None:
        server = relay(**{step: ["550 5.7.26 This mail is not authenticated"]})

        outcome = connect(server).deliver(part, reader())

        assert (outcome.verdict, outcome.fault) == (Verdict.FAILED, Fault.ACCOUNT)
        assert (outcome.stops, outcome.suppress) == ("@example.net", None)
        assert outcome.reply == "550 5.7.26 This mail is not authenticated"

    def test_a_dead_address_stops_nobody_else(
        self, relay: StartRelay, connect: Connect, part: Part
    ) -> None:
        outcome = connect(relay(rcpt=["550 5.1.1 Gone"])).deliver(part, reader())

        assert outcome.stops is None

    def test_a_dkim_key_that_cannot_sign_sends_nothing_and_fails_nobody(
        self, relay: StartRelay, connect: Connect, part: Part
    ) -> None:
        server = relay()
        broken = connect(server, dkim_rsa_selector="s1", dkim_rsa_key="not a key")

        outcome = broken.deliver(part, reader())

        assert (outcome.verdict, outcome.fault) == (Verdict.RETRYING, Fault.ACCOUNT)
        assert "distributor dkim generate" in outcome.reply
        assert server.connections == 0


class TestOptions:
    def test_announces_the_size_where_the_relay_wants_to_know(
        self, relay: StartRelay, connect: Connect, part: Part
    ) -> None:
        server = relay(ehlo=["250-scripted\n250 SIZE 1000000"])

        connect(server).deliver(part, reader())

        assert f"SIZE={len(server.messages[0])}" in server.commands[1]

    def test_an_address_in_chinese_fails_where_the_relay_cannot_take_it(
        self, relay: StartRelay, connect: Connect, part: Part
    ) -> None:
        server = relay()

        outcome = connect(server).deliver(part, reader(address="读者@example.net"))

        assert (outcome.verdict, outcome.code) == (Verdict.FAILED, "smtp-no-smtputf8")
        assert outcome.suppress is None
        assert server.messages == []

    def test_an_address_that_is_none_never_reaches_the_relay(
        self, relay: StartRelay, connect: Connect, part: Part
    ) -> None:
        server = relay()

        outcome = connect(server).deliver(part, reader(address="a@b.example>\r\nRCPT TO:<c@d.e"))

        assert (outcome.verdict, outcome.code) == (Verdict.FAILED, "email-bad-address")
        assert server.connections == 0


class TestSecrets:
    def test_a_password_echoed_by_the_relay_is_hidden(
        self, relay: StartRelay, connect: Connect, part: Part
    ) -> None:
        password = "correct-horse-battery"
        server = relay(
            ehlo=["250-scripted\n250 AUTH PLAIN"],
            auth=[f"535 5.7.8 {password} AGRhaWx5AGNvcnJlY3QtaG9yc2UtYmF0dGVyeQ== is wrong"],
        )

        outcome = connect(server, username="daily", password=password).deliver(part, reader())

        assert (outcome.code, outcome.fault) == ("smtp-535-5.7.8", Fault.ACCOUNT)
        assert outcome.reply == "535 5.7.8 [hidden] [hidden] is wrong"
