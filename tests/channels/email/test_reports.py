"""Reports that come back, read by us and by Sisimai, which reads bounces for a living."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email import reports
from channels.email.reports import ReportKind
from tests.channels.email.returned import (
    EXIM,
    MESSAGE_ID,
    OUT_OF_OFFICE,
    QMAIL,
    READER,
    arf,
    dsn,
    original,
)

BOUNCES = {"postfix": dsn(), "exim": EXIM, "qmail": QMAIL}


@pytest.mark.parametrize("system", BOUNCES)
def test_a_bounce_says_what_whom_and_which(system: str) -> None:
    report = reports.read(BOUNCES[system])

    assert (report.kind, report.status) == (ReportKind.BOUNCE, "5.1.1")
    assert READER in report.addresses
    assert report.message_id == MESSAGE_ID
    assert report.unsubscribe_url == "https://news.example.org/unsubscribe/none"
    assert "bounces@news.example.org" in report.sent_to


def test_the_other_systems_words_are_kept() -> None:
    assert reports.read(dsn()).words == "550 5.1.1 No such user"


def test_a_precise_code_in_the_words_beats_a_general_one_beside_them() -> None:
    report = reports.read(dsn("5.0.0", "smtp; 552 5.2.2 Mailbox full"))

    assert report.status == "5.2.2"


def test_a_delay_is_no_bounce() -> None:
    report = reports.read(dsn("4.4.1", "smtp; timed out", action="delayed"))

    assert report.kind is ReportKind.DELAY


def test_a_receipt_is_no_bounce() -> None:
    assert reports.read(dsn("2.0.0", "smtp; 250 ok", action="delivered")).kind is ReportKind.OTHER


def test_a_complaint_says_whom_and_which() -> None:
    report = reports.read(arf())

    assert report.kind is ReportKind.COMPLAINT
    assert report.addresses == (READER,)
    assert report.message_id == MESSAGE_ID
    assert report.words == "abuse reported by SomeGenerator/1.0"


def test_somebody_who_says_that_it_is_no_spam_does_not_complain() -> None:
    assert reports.read(arf("not-spam")).kind is ReportKind.OTHER


def test_an_answer_of_a_machine_is_no_bounce_whatever_numbers_are_in_it() -> None:
    report = reports.read(OUT_OF_OFFICE)

    assert (report.kind, report.message_id) == (ReportKind.OTHER, "")


def test_the_envelope_and_the_returned_message_name_the_bounce_address_too() -> None:
    verp = "bounces+c-1e240-abc@news.example.org"
    report = reports.read(dsn(enclosed=original(return_path=verp)), envelope_to="x@y.example")

    assert report.sent_to[0] == "x@y.example"
    assert any(verp in text for text in report.sent_to)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=600), st.integers(0, 900))
def test_any_bytes_are_read_without_breaking(noise: bytes, place: int) -> None:
    whole = dsn()
    for octets in (noise, whole[:place] + noise + whole[place:], arf()[:place] + noise):
        report = reports.read(octets)
        assert report.words.isprintable()
        assert len(report.words) <= 500


@pytest.mark.slow
@pytest.mark.parametrize("system", BOUNCES)
def test_sisimai_reads_the_same(system: str, tmp_path: Path) -> None:
    if shutil.which("perl") is None or _perl("-MSisimai", "-e1").returncode:
        pytest.skip("Sisimai is not installed; apt-get install libsisimai-perl")
    message = tmp_path / "bounce.eml"
    message.write_bytes(BOUNCES[system])

    told = _perl("-MSisimai", "-e", "print Sisimai->dump(shift)", str(message))

    (bounce,) = json.loads(told.stdout)
    ours = reports.read(BOUNCES[system])
    assert (bounce["recipient"], bounce["deliverystatus"]) == (READER, ours.status)
    assert bounce["reason"] == "userunknown"
    assert bounce["messageid"] == MESSAGE_ID.strip("<>")


def _perl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["perl", *arguments], capture_output=True, text=True, check=False)
