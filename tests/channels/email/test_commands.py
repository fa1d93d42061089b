"""A command and its reply: every way to lose the connection is an outcome."""

from __future__ import annotations

import errno
import smtplib
import ssl

import pytest

from channels.base import Fault, Verdict
from channels.email.client import RawReply
from channels.email.commands import Stopped, command
from channels.email.replies import Phase
from tests.channels.email.conftest import account_for


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENETUNREACH, "Network is unreachable"),
        OSError(errno.EHOSTUNREACH, "No route to host"),
        BrokenPipeError(errno.EPIPE, "Broken pipe"),
        ssl.SSLEOFError(8, "EOF occurred in violation of protocol"),
        ssl.SSLError(1, "bad length"),
        smtplib.SMTPServerDisconnected("Connection unexpectedly closed"),
    ],
    ids=repr,
)
def test_a_lost_connection_is_retried_however_the_system_says_so(error: OSError) -> None:
    def send() -> RawReply:
        raise error

    with pytest.raises(Stopped) as stopped:
        command(account_for(), Phase.SENDER, send)

    outcome = stopped.value.outcome
    assert (outcome.verdict, outcome.fault) == (Verdict.RETRYING, Fault.PROVIDER)
    assert outcome.code == "smtp-lost"
    assert stopped.value.session_over


def test_what_is_not_about_the_connection_is_for_the_caller() -> None:
    def send() -> RawReply:
        raise smtplib.SMTPNotSupportedError("no AUTH")

    with pytest.raises(smtplib.SMTPNotSupportedError):
        command(account_for(), Phase.OPENING, send)
