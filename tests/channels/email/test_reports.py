"""Reports that come back, read by us and by Sisimai, which reads bounces for a living."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email import replies, reports
from channels.email.findings import ReportKind
from distributor.suppression import SuppressionReason
from tests.channels.email.returned import (
    EXIM,
    LETTER,
    MESSAGE_ID,
    OUT_OF_OFFICE,
    READER,
    arf,
    dsn,
    note,
    original,
    outlook_complaint,
    qmail,
)

BOUNCES = {"postfix": dsn(), "exim": EXIM, "qmail": qmail()}


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


def test_outlook_complains_in_a_way_of_its_own() -> None:
    report = reports.read(outlook_complaint())

    assert (report.kind, report.addresses) == (ReportKind.COMPLAINT, (READER,))
    assert report.message_id == MESSAGE_ID


def test_nobody_else_complains_in_outlooks_way() -> None:
    assert reports.read(outlook_complaint(sender=READER)).kind is ReportKind.OTHER


def test_somebody_who_says_that_it_is_no_spam_does_not_complain() -> None:
    assert reports.read(arf("not-spam")).kind is ReportKind.OTHER


def test_an_answer_of_a_machine_is_no_bounce_whatever_numbers_are_in_it() -> None:
    report = reports.read(OUT_OF_OFFICE)

    assert (report.kind, report.message_id) == (ReportKind.AUTO_REPLY, "")


@pytest.mark.parametrize(
    "words",
    [
        "smtp; 550 host mx.example.com [62.5.1.1] said: message looks like spam",
        "smtp; 550 Blocked, [203.5.7.10] is listed",
        "smtp; 550-10.5.2.1 is not allowed to send",
    ],
)
def test_an_ip_address_makes_no_general_code_precise(words: str) -> None:
    assert reports.read(dsn("5.0.0", words)).status == "5.0.0"


def test_numbers_in_the_copy_of_our_message_say_nothing_about_the_bounce() -> None:
    words = "Remote host said: 554 Service unavailable; blocked using zen"

    report = reports.read(qmail(words))

    assert (report.kind, report.status, report.words) == (ReportKind.BOUNCE, "", words)


def test_numbers_in_an_attached_copy_say_nothing_either() -> None:
    parts = (
        "--B\n\n554 Service unavailable\n--B\nContent-Type: message/rfc822\n\nTo: x\n\n(#5.1.1)\n"
    )

    report = reports.read(note("Undeliverable", parts, content_type="multipart/mixed; boundary=B"))

    assert (report.kind, report.status) == (ReportKind.BOUNCE, "")


#: 系统退信 (mail returned by the system), as headers carry it.
CHINESE = "=?utf-8?b?57O757uf6YCA5L+h?="


@pytest.mark.parametrize(
    ("subject", "text", "status"),
    [
        (CHINESE, "550 User not found", ""),
        ("Unzustellbar: Heute", "550 5.1.1 unbekannt", "5.1.1"),
        ("Niet bezorgd", "550 5.1.1 onbekend", "5.1.1"),
    ],
)
def test_a_bounce_is_known_in_any_language(subject: str, text: str, status: str) -> None:
    report = reports.read(note(subject, text))

    assert (report.kind, report.status, report.words) == (ReportKind.BOUNCE, status, text)


def test_encoded_words_of_a_subject_are_told_decoded() -> None:
    assert reports.read(note(CHINESE, "x")).words == "系统退信"


def test_a_chinese_charset_may_hold_more_than_its_name_says() -> None:
    word = base64.b64encode("朱镕".encode("gbk")).decode()

    assert reports.read(note(f"=?gb2312?b?{word}?=", "x")).words == "朱镕"


@pytest.mark.parametrize(
    "subject", ["=?x-none?q?caf=C3=A9?=", "=?utf-8?b?abcde?=", "caf\xe9", "=?idna?q?=FF?="]
)
def test_a_subject_that_cannot_be_decoded_is_told_as_far_as_it_goes(subject: str) -> None:
    assert reports.read(f"Subject: {subject}\n\nx".encode("latin-1")).words


NULL = "Return-Path: <>\n"
MAILER = "MAILER-DAEMON@mx.example.net"


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Delivery Status Notification (Delay)", "421 4.7.0 try later"),
        (
            "Undeliverable: Today",
            "It has not been delivered yet:\n452 4.2.2 mailbox full\nWe keep trying.",
        ),
        ("Warning: could not send message for past 4 hours", "Deferred: Connection timed out"),
        ("failure notice", "451 Try again"),
    ],
)
def test_a_notice_of_delay_in_words_is_no_bounce(subject: str, text: str) -> None:
    report = reports.read(note(subject, text, sender=MAILER, headers=NULL))

    assert report.kind is ReportKind.DELAY


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ("Message of 412 lines\n550 No such user", "", "550 No such user"),
        ("Message of 412 lines: 550 No such user", "", "Message of 412 lines: 550 No such user"),
        ("421 4.7.0 try later\n550 No such user", "", "550 No such user"),
        ("421 4.7.0 try later\n550 5.1.1 No such user", "5.1.1", "550 5.1.1 No such user"),
        ("Given up after 5 days: 451 4.4.1 timed out", "4.4.1", None),
    ],
)
def test_what_refuses_for_good_counts_before_what_refuses_for_now(
    text: str, status: str, words: str | None
) -> None:
    report = reports.read(note("failure notice", text, sender=MAILER, headers=NULL))

    assert (report.kind, report.status) == (ReportKind.BOUNCE, status)
    assert report.words == (words or text)


def test_a_page_is_read_without_its_tags() -> None:
    page = "<style>p {} /* 550 5.7.1 */</style><p>Why:</p><p>550 5.1.1 <b>unknown</b></p>"

    report = reports.read(note(CHINESE, page, content_type="text/html"))

    assert (report.status, report.words) == ("5.1.1", "550 5.1.1 unknown")


def test_what_a_postmaster_writes_by_hand_is_a_letter() -> None:
    by_hand = note(
        "Your newsletter",
        "We refused it with 550 5.7.1 today.",
        headers="Return-Path: <postmaster@provider.example>\n",
    )

    assert reports.read(by_hand).kind is ReportKind.OTHER


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied (vacation)",
        "Precedence: auto_reply",
        "X-Autoreply: yes",
        "X-Auto-Response-Suppress: All",
    ],
)
def test_a_machines_answer_is_known_by_its_headers(header: str) -> None:
    answer = note("Undeliverable: I moved", "x", headers=f"Return-Path: <>\n{header}\n")

    assert reports.read(answer).kind is ReportKind.AUTO_REPLY


def test_a_letter_is_kept_as_a_person_reads_it() -> None:
    assert reports.read(LETTER).letter == (
        f"From: Bob <{READER}>\nTo: bounces@news.example.org\nSubject: Please stop\n\n"
        "I do not want this any more.\nBob"
    )


def test_a_letter_has_an_end_and_no_control_characters() -> None:
    letter = reports.read(note("Long", "\x1b[31mred\u202e\n" + "x" * 50_000)).letter

    assert 19_900 < len(letter) <= 20_000
    assert "\n[31mred\nxxx" in letter


def test_a_report_is_no_letter() -> None:
    assert {reports.read(octets).letter for octets in (dsn(), arf(), OUT_OF_OFFICE)} == {""}


def test_a_message_of_a_thousand_parts_within_parts_is_a_letter() -> None:
    nested = "".join(
        f"Content-Type: multipart/mixed; boundary={n}\r\n\r\n--{n}\r\n" for n in range(3000)
    )

    report = reports.read(nested.encode(), envelope_to="x@y.example")

    assert (report.kind, report.sent_to) == (ReportKind.OTHER, ("x@y.example",))
    assert report.letter.startswith("Content-Type: multipart/mixed")


@pytest.mark.parametrize(
    "report",
    [
        arf(mail_from="bounces+c-1e240-abc@news.example.org", enclosed="Subject: x\n"),
        arf(enclosed="X-Return-Path: <bounces+c-1e240-abc@news.example.org>\n"),
    ],
    ids=["Original-Mail-From", "X-Return-Path"],
)
def test_a_complaint_that_blacks_all_else_out_names_the_bounce_address(report: bytes) -> None:
    assert any("bounces+c-1e240-abc@" in text for text in reports.read(report).sent_to)


def test_the_envelope_and_the_returned_message_name_the_bounce_address_too() -> None:
    verp = "bounces+c-1e240-abc@news.example.org"
    report = reports.read(dsn(enclosed=original(return_path=verp)), envelope_to="x@y.example")

    assert report.sent_to[0] == "x@y.example"
    assert any(verp in text for text in report.sent_to)


def test_a_letter_in_html_beside_a_blank_text_is_shown() -> None:
    parts = (
        "--B\nContent-Type: text/plain\n\n \n"
        "--B\nContent-Type: text/html\n\n<p>Please take me off this list</p>\n--B--"
    )
    letter = note("Hello", parts, content_type="multipart/alternative; boundary=B")

    assert "Please take me off this list" in reports.read(letter).letter


def test_an_attached_text_is_no_letter() -> None:
    parts = (
        "--B\nContent-Type: text/html\n\n<p>Please take me off this list</p>\n"
        "--B\nContent-Type: text/plain\nContent-Disposition: attachment; filename=log.txt\n\n"
        "No virus found\n--B--"
    )
    letter = reports.read(note("Hello", parts, content_type="multipart/mixed; boundary=B")).letter

    assert "Please take me off this list" in letter
    assert "No virus found" not in letter


def test_of_a_text_and_the_same_in_html_the_text_is_shown() -> None:
    parts = (
        "--B\nContent-Type: text/plain\n\nPlease stop\n"
        "--B\nContent-Type: text/html\n\n<p>Please stop</p>\n--B--"
    )
    letter = note("Hello", parts, content_type="multipart/alternative; boundary=B")

    assert reports.read(letter).letter.count("Please stop") == 1


@pytest.mark.parametrize("charset", ["utf-7", "UTF7", "punycode", "unicode_escape"])
def test_a_charset_that_no_mail_is_written_in_is_read_as_ascii(charset: str) -> None:
    letter = note("Hello", r"ab-c +2AA- \x41", content_type=f"text/plain; charset={charset}")

    assert r"ab-c +2AA- \x41" in reports.read(letter).letter


def nested(depth: int) -> bytes:
    """Parts within parts, the innermost of them a text."""
    parts = (f"Content-Type: multipart/mixed; boundary={n}\n\n--{n}\n" for n in range(depth))
    return f"{''.join(parts)}Content-Type: text/plain\n\n".encode()


SLOW = {
    "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 100_000 + b"\n\nx",
    "a slow charset": b"Content-Type: text/plain; charset=punycode\n\na-" + b"a" * 400_000,
    "a slow charset of 8-bit text": (
        b"Content-Type: text/plain; charset=punycode\n\n\xff-" + b"a" * 400_000
    ),
    "a slow charset of a parameter": (
        b"Content-Type: text/plain; charset*=punycode''a-" + b"a" * 400_000 + b"\n\nx"
    ),
    "headers": b"X: y\n" * 1_900_000 + b"\nx",
    "parts within parts": nested(200) + b"-\n" * 2_000_000,
    "not so many parts within parts": nested(20) + b"-\n" * 4_000_000,
    "parts": b"Content-Type: multipart/mixed; boundary=B\n\n" + b"--B\n\n" * 1_000_000,
}


@pytest.mark.parametrize("what", SLOW)
def test_no_message_takes_long(what: str) -> None:
    started = time.process_time()

    reports.read(SLOW[what])

    assert time.process_time() - started < 4


def test_of_a_large_message_the_beginning_is_read() -> None:
    assert reports.read(dsn() + b"x" * 20_000_000).status == "5.1.1"


@pytest.mark.parametrize(
    ("field", "address"),
    [("o'brien@example.net", "o'brien@example.net"), ("'bob@example.net'", "bob@example.net")],
)
def test_an_apostrophe_may_be_part_of_an_address(field: str, address: str) -> None:
    assert reports.read(dsn(recipient=field)).addresses == (address,)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=600), st.integers(0, 900))
def test_any_bytes_are_read_without_breaking(noise: bytes, place: int) -> None:
    whole = dsn()
    for octets in (noise, whole[:place] + noise + whole[place:], arf()[:place] + noise):
        report = reports.read(octets)
        assert report.words.isprintable()
        assert len(report.words) <= 500


FOR_SISIMAI = {
    **BOUNCES,
    "an IP address": dsn("5.0.0", "smtp; 550 mx.example.com [62.5.1.1] said: looks like spam"),
    "a block list": dsn("5.0.0", "smtp; 550 Blocked, [203.5.7.10] is listed"),
    "a restricted mailbox": dsn("5.7.1", "smtp; 550 5.7.1 RESOLVER.RST.AuthRequired"),
    "a full mailbox": dsn("5.0.0", "smtp; 552 5.2.2 Mailbox full"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", FOR_SISIMAI)
def test_sisimai_reads_the_same(what: str, tmp_path: Path) -> None:
    if shutil.which("perl") is None or _perl("-MSisimai", "-e1").returncode:
        pytest.skip("Sisimai is not installed; apt-get install libsisimai-perl")
    message = tmp_path / "bounce.eml"
    message.write_bytes(FOR_SISIMAI[what])

    told = _perl("-MSisimai", "-e", "print Sisimai->dump(shift)", str(message))

    (bounce,) = json.loads(told.stdout)
    ours = reports.read(FOR_SISIMAI[what])
    assert (bounce["recipient"], bounce["deliverystatus"]) == (READER, ours.status)
    is_dead = replies.returned(ours.status, ours.words).suppress == SuppressionReason.ADDRESS_DEAD
    assert (bounce["reason"] == "userunknown") is is_dead
    assert bounce["messageid"] == MESSAGE_ID.strip("<>")


def _perl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["perl", *arguments], capture_output=True, text=True, check=False)
