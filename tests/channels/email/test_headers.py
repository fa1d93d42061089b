"""Header fields: RFC 5322 lines, RFC 2047 words, and nothing injected."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.headers import HeaderError, clean, mailbox_field, raw_field, text_field

texts = st.text(max_size=300)
ENCODED_WORD = re.compile(rb"=\?utf-8\?b\?[A-Za-z0-9+/=]*\?=")


def parsed(field: bytes) -> EmailMessage:
    message = message_from_bytes(field + b"\r\n", policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


@settings(deadline=None)
@given(texts)
def test_any_subject_reads_back_as_one_line_of_itself(text: str) -> None:
    message = parsed(text_field("Subject", text))

    assert message.keys() == ["Subject"]
    assert message["Subject"] == clean(text)


@settings(deadline=None)
@given(texts)
def test_encoded_words_and_their_lines_keep_to_the_limits_of_rfc_2047(text: str) -> None:
    field = text_field("Subject", text) + mailbox_field("To", text, "a@example.net")

    assert all(len(word) <= 75 for word in ENCODED_WORD.findall(field))
    assert all(len(line) <= 76 for line in field.split(b"\r\n"))


@settings(deadline=None)
@given(texts)
def test_no_encoded_word_cuts_a_character(text: str) -> None:
    for word in ENCODED_WORD.findall(text_field("Subject", text)):
        parsed(b"Subject: " + word)["Subject"].encode("utf-8")


@settings(deadline=None)
@given(texts)
def test_any_name_stands_beside_the_address_and_adds_no_other(name: str) -> None:
    message = parsed(mailbox_field("To", name, "reader@example.net"))

    assert message.keys() == ["To"]
    assert [address.addr_spec for address in message["To"].addresses] == ["reader@example.net"]


@pytest.mark.parametrize("name", ["Ann Lee", "王小明", 'A "B" \\ C', "Lee, Ann", "=?utf-8?q?x?="])
def test_a_name_reads_back_as_it_was(name: str) -> None:
    field = mailbox_field("To", name, "reader@example.net")

    assert parsed(field)["To"].addresses[0].display_name == name


def test_a_long_english_subject_is_folded_and_not_encoded() -> None:
    subject = "A rather long subject " * 10

    field = text_field("Subject", subject)

    assert b"=?" not in field
    assert parsed(field)["Subject"] == subject.strip()


def test_an_address_that_is_not_ascii_is_written_in_utf_8() -> None:
    assert mailbox_field("To", "", "读者@example.net") == "To: 读者@example.net\r\n".encode()


@pytest.mark.parametrize("value", ["<https://a.example/\r\nBcc: x@y.example>", "a\nb", "a\0b"])
def test_a_raw_value_with_a_line_break_is_refused(value: str) -> None:
    with pytest.raises(HeaderError, match="line break"):
        raw_field("List-Unsubscribe", value)


def test_a_raw_value_over_998_octets_is_refused() -> None:
    with pytest.raises(HeaderError, match="longer than 998 octets"):
        raw_field("List-Unsubscribe", "<https://a.example/" + "x" * 1000 + ">")
