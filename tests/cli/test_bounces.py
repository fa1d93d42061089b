"""`bounces`, as a person and a mail server run it."""

from __future__ import annotations

import json
import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from channels.email.account import EmailAccount
from distributor.ledger.database import Ledger
from distributor.operations import bounces
from tests.channels.email.returned import LETTER, OUT_OF_OFFICE, dsn, note, qmail
from tests.cli.conftest import Program
from tests.support.service import Service, service

READER = "reader@readers.example"
PROGRAM = (sys.executable, "-m", "distributor")


@pytest.fixture
def sent(tmp_path: Path, sqlite_ledger: Ledger) -> Iterator[Service]:
    with service(tmp_path, sqlite_ledger) as shop:
        shop.subscribe("email", READER)
        shop.send_id = shop.start_and_plan()
        shop.deliver(shop.send_id)
        yield shop


def verp(shop: Service) -> str:
    account = shop.settings.accounts["relay"]
    assert isinstance(account, EmailAccount)
    subscriber_id = shop.delivery(shop.send_id)["subscriber_id"]
    return account.envelope_sender(shop.context.bounce_tokens.issue(subscriber_id, shop.send_id))


def run(shop: Service, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*PROGRAM, "bounces", *arguments],
        input=given,
        capture_output=True,
        check=False,
        env={**os.environ, **shop.environment},
    )


def test_standard_input_is_taken_in_and_shown(sent: Service) -> None:
    done = run(sent, "read", "--to", verp(sent), "--json", given=dsn())

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["kind"], told["send"], told["address"]) == ("bounce", sent.send_id, READER)
    assert sent.counts(sent.send_id) == {"bounced": 1}
    shown = run(sent, "show")
    assert "dsn-5.1.1" in shown.stdout.decode()


def test_a_pipe_is_told_to_come_again_with_what_is_too_early(sent: Service) -> None:
    with sent.under_way(sent.send_id):
        done = run(sent, "read", "--to", verp(sent), given=dsn())

    assert done.returncode == os.EX_TEMPFAIL, done.stderr
    assert b"the delivery is under way: try later" in done.stdout
    assert b"give it again" in done.stderr
    assert b"Nothing has come back" in run(sent, "show").stdout


@pytest.fixture
def one_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Maildir with a message that cannot be taken in and one that can."""
    for name in ("new", "cur", "tmp"):
        (tmp_path / "bounces" / name).mkdir(parents=True)
    (tmp_path / "bounces" / "new" / "1.host").write_bytes(b"unreadable")
    (tmp_path / "bounces" / "new" / "2.host").write_bytes(dsn())
    read = bounces.reports.read

    def fail(octets: bytes, envelope_to: str) -> bounces.Report:
        if octets == b"unreadable":
            raise OverflowError
        return read(octets, envelope_to)

    monkeypatch.setattr(bounces.reports, "read", fail)
    return tmp_path / "bounces"


def test_a_message_that_cannot_be_taken_in_is_told_at_the_end(
    shop: Service,
    program: Program,
    one_fails: Path,
) -> None:
    done = program("bounces", "maildir", one_fails)

    assert done.code == 1
    assert f"1 new message in {one_fails}" in done.out
    assert "1 message could not be taken in; the log above says which and why" in done.err


def test_a_pipe_is_told_to_come_again_with_what_could_not_be_taken_in(
    shop: Service,
    program: Program,
    one_fails: Path,
) -> None:
    done = program("bounces", "read", *sorted((one_fails / "new").iterdir()))

    assert done.code == os.EX_TEMPFAIL
    assert "about no delivery that is known here" in done.out
    assert "1 message could not be taken in" in done.err


@contextmanager
def listening(shop: Service, protocol: str) -> Iterator[smtplib.SMTP]:
    """A mail server's way to a listener that speaks `protocol`."""
    option = ["--smtp"] if protocol == "smtp" else []
    with subprocess.Popen(
        [*PROGRAM, "bounces", "listen", "--port", "0", *option],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **shop.environment, "PYTHONUNBUFFERED": "1"},
    ) as listener:
        assert listener.stdout is not None
        try:
            port = int(listener.stdout.readline().rpartition(":")[2])
            client = smtplib.LMTP if protocol == "lmtp" else smtplib.SMTP
            with client("127.0.0.1", port) as server:
                yield server
        finally:
            listener.send_signal(signal.SIGTERM)
            _, complaints = listener.communicate()
        assert complaints == ""
    assert listener.returncode == 0


@pytest.mark.parametrize("protocol", ["lmtp", "smtp"])
def test_a_mail_server_is_told_to_come_again_with_what_is_too_early(
    sent: Service, protocol: str
) -> None:
    report = dsn().replace(b"\n", b"\r\n")
    with listening(sent, protocol) as server:
        with (
            sent.under_way(sent.send_id),
            pytest.raises(smtplib.SMTPDataError, match="come again") as refused,
        ):
            server.sendmail("", [verp(sent)], report)
        server.sendmail("", [verp(sent)], report)

    assert refused.value.smtp_code == 451
    assert sent.counts(sent.send_id) == {"bounced": 1}


@pytest.mark.parametrize("protocol", ["lmtp", "smtp"])
def test_a_mail_server_hands_over_what_is_ours_and_nothing_else(
    sent: Service, protocol: str
) -> None:
    with listening(sent, protocol) as server:
        long = b"x" * 2000 + b"\n"
        server.sendmail("", [verp(sent)], (dsn() + long).replace(b"\n", b"\r\n"))
        with pytest.raises(smtplib.SMTPRecipientsRefused, match="no bounce address of ours"):
            server.sendmail("", ["somebody@example.org"], OUT_OF_OFFICE)
    assert sent.counts(sent.send_id) == {"bounced": 1}


def test_a_letter_is_shown_without_marks_for_looks(sent: Service) -> None:
    run(sent, "read", given=LETTER)

    shown = run(sent, "show", "--kind", "other").stdout.decode()
    assert shown.startswith("Taken in at ")
    assert "bold" not in shown


def test_a_letter_is_shown_with_its_text(sent: Service) -> None:
    done = run(sent, "read", "--to", verp(sent), given=LETTER)

    assert done.returncode == 0, done.stderr
    assert b"kept for a person to read" in done.stdout
    shown = run(sent, "show", "--kind", "other").stdout.decode()
    assert "Subject: Please stop\n\nI do not want this any more.\nBob\n" in shown
    of_others = run(sent, "show", "--kind", "bounce").stdout
    assert b"Nothing of the kind bounce has come back" in of_others
    assert json.loads(run(sent, "show", "--json").stdout)["letter"].endswith("Bob")


@pytest.mark.parametrize("protocol", ["lmtp", "smtp"])
def test_what_a_mail_server_handed_over_and_is_no_report_is_kept(
    sent: Service, protocol: str
) -> None:
    with listening(sent, protocol) as server:
        server.sendmail(READER, [verp(sent)], LETTER.replace(b"\n", b"\r\n"))

    assert b"I do not want this any more." in run(sent, "show", "--kind", "other").stdout


def test_the_envelope_tells_a_postmasters_letter_from_a_bounce(sent: Service) -> None:
    words = note("Hello", "We have 550 readers.", headers="Return-Path: <>\n")
    bounce = qmail("550 unknown").replace(b"Return-Path: <>\n", b"")
    with listening(sent, "lmtp") as server:
        server.sendmail("postmaster@provider.example", [verp(sent)], words)
        assert sent.counts(sent.send_id) == {"sent": 1}
        server.sendmail("", [verp(sent)], bounce)

    assert sent.counts(sent.send_id) == {"bounced": 1}
    assert b"We have 550 readers." in run(sent, "show", "--kind", "other").stdout


@pytest.mark.parametrize("protocol", ["lmtp", "smtp"])
def test_a_mail_server_is_answered_for_one_recipient_at_a_time(
    sent: Service, protocol: str
) -> None:
    """LMTP wants an answer for each recipient after the message (RFC 2033, section 4.2)."""
    plain = "bounces@newsletter.localhost"
    report = dsn().replace(b"\n", b"\r\n")
    with listening(sent, protocol) as server:
        refused = server.sendmail("", [plain, verp(sent)], report)
        assert refused == {verp(sent): (452, b"4.5.3 One recipient at a time")}
        server.sendmail("", [verp(sent)], report)

    assert sent.counts(sent.send_id) == {"bounced": 1}
