"""Status codes are told from the other numbers in what mail systems write."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email import status_codes


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("550 5.1.1 No such user", "5.1.1"),
        ("550-5.1.1 The email account", "5.1.1"),
        ("550 #5.1.0 Address rejected", "5.1.0"),
        ("5.1.0 - Unknown address error 550-'5.1.1 No such user'", "5.1.0"),
        ("host mx.example.net[62.5.1.1] said: 552 5.2.2 Mailbox full", "5.2.2"),
        ("Remote Server returned '550 5.4.1 Access denied'", "5.4.1"),
        ("Sorry, no mailbox here by that name. (#5.1.1)", "5.1.1"),
        ("It was refused with 550 5.7.1.", "5.7.1"),
        ("Status: 5.1.1", "5.1.1"),
    ],
)
def test_a_status_stands_at_the_beginning_after_a_reply_code_or_in_brackets(
    words: str, status: str
) -> None:
    assert status_codes.in_words(words) == status


@pytest.mark.parametrize(
    "words",
    [
        "550 mx.example.net [62.5.1.1] said: message looks like spam",
        "550 Blocked, [203.5.7.10] is listed",
        "550-10.5.2.1 is not allowed to send",
        "550-5.2.1.7 is not allowed to send",
        "5.2.1.7 is not allowed to send",
        "550 see release 5.1.1 of our policy",
        "550 5.1.1234",
        "1550 5.1.1",
    ],
)
def test_addresses_and_versions_are_no_status(words: str) -> None:
    assert status_codes.in_words(words) == ""


@given(st.ip_addresses(v=4), st.sampled_from(["550 {}", "550-{}", "550 [{}] x", "{}", "(#{})"]))
def test_no_ip_address_is_ever_a_status(address: IPv4Address, words: str) -> None:
    assert status_codes.in_words(words.format(address)) == ""
    assert status_codes.stated(str(address)) == ""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("550 User not found", "550"),
        ("错误代码：550", "550"),
        ("Sent 5500 mails", ""),
        ("250 OK", ""),
    ],
)
def test_a_reply_code_says_no(words: str, code: str) -> None:
    assert status_codes.reply_code(words) == code
