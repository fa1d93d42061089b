"""The SMTP server, talked to by smtplib."""

from __future__ import annotations

import smtplib
import socket
import sqlite3
from email import message_from_bytes, policy

import pytest

from tests.sandbox.conftest import Client, letter


def test_keeps_an_accepted_mail_byte_for_byte(client: Client) -> None:
    raw = letter().as_bytes(policy=policy.SMTP)
    with client.smtp() as smtp:
        smtp.sendmail("bounce@example.org", ["reader@example.com"], raw)
    (kept,) = client.messages(platform="smtp")
    assert client.get(kept["raw"]).content == raw


def test_tells_who_got_what_under_which_message_id(client: Client) -> None:
    client.mail(letter(to="李雷 <reader@example.com>"))
    (kept,) = client.messages(platform="smtp", address="reader@example.com")
    assert (kept["address"], kept["subject"], kept["message_id"]) == (
        "reader@example.com",
        "今日要闻",
        "<edition-1@example.org>",
    )


def test_counts_every_recipient_of_one_mail(client: Client) -> None:
    client.mail(letter(to="a@example.com, b@example.com"))
    assert [m["address"] for m in client.messages()] == ["a@example.com", "b@example.com"]


@pytest.mark.parametrize("extension", ["8bitmime", "smtputf8", "pipelining", "auth"])
def test_announces_the_extension(client: Client, extension: str) -> None:
    with client.smtp() as smtp:
        smtp.ehlo()
        assert smtp.has_extn(extension)


def test_announces_a_limit_of_10_mib(client: Client) -> None:
    with client.smtp() as smtp:
        smtp.ehlo()
        assert smtp.esmtp_features["size"] == str(10 * 1024 * 1024)


def test_answers_pipelined_commands_in_order(client: Client) -> None:
    raw = letter().as_bytes(policy=policy.SMTP)
    with (
        socket.create_connection((client.sandbox.host, client.sandbox.smtp_port)) as connection,
        connection.makefile("rb") as replies,
    ):
        connection.sendall(
            b"EHLO test\r\nMAIL FROM:<a@b.org>\r\nRCPT TO:<c@d.org>\r\nDATA\r\n"
            + raw
            + b"\r\n.\r\nQUIT\r\n"
        )
        codes = [line[:3] for line in replies if line[3:4] == b" "]
    assert codes == [b"220", b"250", b"250", b"250", b"354", b"250", b"221"]


def test_accepts_any_login(client: Client) -> None:
    with client.smtp() as smtp:
        assert smtp.login("relay", "anything")[0] == 235


def test_stores_before_it_answers(client: Client) -> None:
    with client.smtp() as smtp:
        smtp.send_message(letter())
        database = sqlite3.connect(client.folder / "sandbox.sqlite3")
        stored = database.execute("SELECT address FROM messages").fetchall()
        database.close()
    assert stored == [("reader@example.com",)]


@pytest.mark.parametrize(
    "address", ["nobody", "a@", "@b.org", "a b@c.org", "a@b..org", "a@-b.org", "a.@b.org"]
)
def test_refuses_a_recipient_that_is_no_address(client: Client, address: str) -> None:
    with client.smtp() as smtp, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        smtp.sendmail("a@b.org", [address], b"")
    ((code, _),) = refused.value.recipients.values()
    assert 500 <= code < 600


@pytest.mark.parametrize("header", ["From", "Date", "Message-ID"])
def test_refuses_a_message_without_a_needed_header(client: Client, header: str) -> None:
    message = letter()
    del message[header]
    with client.smtp() as smtp, pytest.raises(smtplib.SMTPDataError, match=header) as refused:
        smtp.sendmail("a@b.org", ["reader@example.com"], message.as_bytes(policy=policy.SMTP))
    assert refused.value.smtp_code == 554
    assert client.messages() == []


@pytest.mark.parametrize(("octets", "accepted"), [(998, True), (999, False)])
def test_refuses_lines_over_998_octets(client: Client, octets: int, accepted: bool) -> None:
    head, _, _ = letter().as_bytes(policy=policy.SMTP).partition(b"\r\n\r\n")
    with client.smtp() as smtp:
        smtp.ehlo()
        smtp.mail("a@b.org")
        smtp.rcpt("reader@example.com")
        code, _ = smtp.data(head + b"\r\n\r\n" + b"x" * octets + b"\r\n")
    assert (code == 250) is accepted


@pytest.mark.parametrize("body", [b"", b".\r\n", b"..\r\n.a\r\nb.\r\n", b"end.\r\n"])
def test_a_line_that_begins_with_a_dot_arrives_whole(client: Client, body: bytes) -> None:
    head, _, _ = letter().as_bytes(policy=policy.SMTP).partition(b"\r\n\r\n")
    with client.smtp() as smtp:
        smtp.sendmail("a@b.org", ["reader@example.com"], head + b"\r\n\r\n" + body)
    kept = client.get(client.messages()[0]["raw"]).content
    assert kept == head + b"\r\n\r\n" + body


def test_refuses_a_message_over_the_size_and_takes_the_next(client: Client) -> None:
    line = b"x" * 76 + b"\r\n"
    big = letter().as_bytes(policy=policy.SMTP) + line * (10 * 1024 * 1024 // len(line))
    with client.smtp() as smtp:
        smtp.helo()
        with pytest.raises(smtplib.SMTPDataError, match=r"5\.3\.4"):
            smtp.sendmail("a@b.org", ["reader@example.com"], big)
        smtp.send_message(letter())
    assert len(client.messages()) == 1


def test_refuses_raw_chinese_headers_without_smtputf8(client: Client) -> None:
    raw = letter().as_bytes(policy=policy.SMTP.clone(utf8=True))
    with client.smtp() as smtp:
        with pytest.raises(smtplib.SMTPDataError, match=r"5\.6\.7"):
            smtp.sendmail("a@b.org", ["reader@example.com"], raw)
        smtp.sendmail("a@b.org", ["reader@example.com"], raw, mail_options=["SMTPUTF8"])
    assert client.messages()[0]["subject"] == "今日要闻"


def test_counts_refusals_by_code(client: Client) -> None:
    with client.smtp() as smtp:
        smtp.ehlo()
        smtp.mail("a@b.org")
        smtp.rcpt("a..b@c.org")
        smtp.rcpt("c..d@e.org")
    assert client.refused("smtp") == {"501 5.1.3": 2}


def test_the_stored_mail_parses_to_what_was_sent(client: Client) -> None:
    client.mail(letter(html="<p>你好</p>"))
    raw = client.get(client.messages()[0]["raw"]).content
    html = message_from_bytes(raw, policy=policy.default).get_body(("html",))
    assert html is not None
    assert html.get_content().strip() == "<p>你好</p>"
