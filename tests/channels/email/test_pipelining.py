"""PIPELINING (RFC 2920): used where it is offered, and given up where it does not work."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from channels.base import Connection, Edition, Fault, Part, Verdict
from channels.email import CHANNEL
from tests.channels.email.conftest import account_for, reader
from tests.channels.email.relay import HANG_UP, SILENCE, ScriptedRelay

StartRelay = Callable[..., ScriptedRelay]
OFFER = "250-scripted\n250 PIPELINING"


@pytest.fixture
def part(edition: Edition) -> Part:
    return CHANNEL.render(edition, account_for()).parts[0]


@pytest.fixture
def connect() -> Iterator[Callable[..., Connection]]:
    opened: list[Connection] = []

    def open_one(relay: ScriptedRelay, patience: float = 20) -> Connection:
        timeouts = {"timeout_seconds": patience, "final_timeout_seconds": patience}
        opened.append(CHANNEL.connect(account_for(relay.port, **timeouts)))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()


Connect = Callable[..., Connection]


def test_sends_the_envelope_in_one_piece(relay: StartRelay, connect: Connect, part: Part) -> None:
    server = relay(ehlo=[OFFER])

    outcome = connect(server).deliver(part, reader())

    assert outcome.verdict is Verdict.SENT
    assert [line[:4] for line in server.commands] == ["ehlo", "MAIL", "RCPT", "DATA"]
    assert server.arrived[1].startswith(b"MAIL FROM")
    assert server.arrived[1].endswith(b"DATA\r\n")


@pytest.mark.parametrize("data", ["554 5.5.1 No valid recipients", "354 Go ahead"])
def test_a_refused_recipient_gets_no_message_whatever_data_is_answered(
    relay: StartRelay, connect: Connect, part: Part, data: str
) -> None:
    server = relay(ehlo=[OFFER], rcpt=["550 5.1.1 No such user"], data=[data])
    connection = connect(server)

    first, second = (connection.deliver(part, reader(identity=f"s1-{n}")) for n in range(2))

    assert (first.verdict, first.suppress) == (Verdict.FAILED, "address-dead")
    assert second.verdict is Verdict.SENT
    assert server.connections == 1
    assert [message for message in server.messages if message] == [server.messages[-1]]


def test_the_first_refusal_counts_and_not_what_follows_from_it(
    relay: StartRelay, connect: Connect, part: Part
) -> None:
    server = relay(
        ehlo=[OFFER],
        mail=["451 4.3.0 Busy"],
        rcpt=["503 5.5.1 Need MAIL first"],
        data=["503 5.5.1 Need RCPT first"],
    )

    outcome = connect(server).deliver(part, reader())

    assert (outcome.verdict, outcome.code) == (Verdict.RETRYING, "smtp-451-4.3.0")
    assert outcome.fault is Fault.PROVIDER


@pytest.mark.parametrize("step", ["rcpt", "data"])
@pytest.mark.parametrize("failure", [SILENCE, HANG_UP, "??? nonsense"], ids=str)
def test_a_relay_that_breaks_what_it_offers_is_asked_step_by_step(
    relay: StartRelay, connect: Connect, part: Part, step: str, failure: str | None
) -> None:
    server = relay(ehlo=[OFFER, OFFER], **{step: [failure]})
    connection = connect(server, patience=1 if failure == SILENCE else 20)

    outcomes = [connection.deliver(part, reader(identity=f"s1-{n}")) for n in range(2)]

    assert {outcome.verdict for outcome in outcomes} == {Verdict.SENT}
    assert len(server.messages) == 2
    assert server.connections == 2
    assert server.arrived[-3].startswith(b"MAIL FROM")
    assert server.arrived[-3].count(b"\r\n") == 1
