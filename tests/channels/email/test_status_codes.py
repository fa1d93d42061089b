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
        ("<mx.example.net #5.1.1>", "5.1.1"),
        ("<mx.example.net #5.1.1 smtp;550 5.1.1 user unknown>", "5.1.1"),
        ("550: 5.1.1 <a@b.example>: Recipient address rejected", "5.1.1"),
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


IP_ADDRESS = ["550 {}", "550-{}", "550: {}", "550 [{}] x", "{}", "(#{})", "<mx #{}>"]


@given(st.ip_addresses(v=4), st.sampled_from(IP_ADDRESS))
def test_no_ip_address_is_ever_a_status(address: IPv4Address, words: str) -> None:
    assert status_codes.in_words(words.format(address)) == ""
    assert status_codes.stated(str(address)) == ""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("550 User not found", "550"),
        ("错误代码：550", "550"),
        ("550: 5.1.1 User unknown", "550"),
        ("554: delivery error: dd This user doesn't have an account", "554"),
        ("at 450:12", ""),
        ("Sent 5500 mails", ""),
        ("250 OK", ""),
    ],
)
def test_a_reply_code_says_no(words: str, code: str) -> None:
    assert status_codes.reply_code(words) == code


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("550 5.0.350 Remote server returned an error -> 550 5.1.1 User unknown", "5.1.1"),
        ("550 5.4.300 Message expired -> 550 5.1.1 User unknown", "5.1.1"),
        ("550 5.0.0 Error; 550 5.2.2 Mailbox full", "5.2.2"),
        # Another class is another reason.
        ("550 5.4.300 Message expired -> 451 4.7.500 Server busy", "5.4.300"),
        ("550 5.0.350 Remote server returned an error -> 550 No such user", "5.0.350"),
    ],
)
def test_a_general_status_gives_way_to_a_precise_one_of_its_class(words: str, status: str) -> None:
    assert status_codes.in_words(words) == status
    assert status_codes.more_precise(words.split()[1], words) == status


def test_a_precise_status_gives_way_to_nothing() -> None:
    assert status_codes.more_precise("5.4.7", "550 5.1.1 User unknown") == "5.4.7"


def test_a_status_that_is_not_stated_is_the_one_in_the_words() -> None:
    assert status_codes.more_precise("", "451 4.7.1 Greylisted") == "4.7.1"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("450 4.1.1 unverified address: host mx.example.net said: 554 5.7.1 no", "450"),
        ("550 5.4.300 Message expired -> 451 4.7.500 Server busy", "451"),
        ("550 5.4.300 Message expired -> timed out", "550"),
        ("Message of 412 lines: host mx.example.net said: 550 No such user", "550"),
        ("host mx.example.net said: 451 temporarily deferred", "451"),
        ("no answer", ""),
    ],
)
def test_one_reply_code_settles_a_bounce(words: str, code: str) -> None:
    assert status_codes.refusal_code(words) == code
