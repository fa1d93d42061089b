"""Addresses and keys are hidden wherever somebody else's words are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distributor.privacy import without_addresses, without_secrets

KEY = "693a91f6-7000-4bc4-97a0-0ec251fa5aaa"
TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


@pytest.mark.parametrize(
    "address",
    [
        "reader@example.org",
        "读者@例子.中国",
        "@a_channel",
        "-1001234567890",
        KEY,
    ],
)
def test_an_address_is_hidden(address: str) -> None:
    assert without_addresses(f"550 <{address}>: refused") == "550 <…>: refused"


def test_other_words_are_left_as_they_are() -> None:
    text = "smtp-550-5.1.1 no such user, try 2 of 12 at 2026-03-02T08:00:00"
    assert without_addresses(text) == without_secrets(text) == text


@pytest.mark.parametrize("secret", [KEY, TOKEN, "user:pa55"])
def test_what_has_the_shape_of_a_secret_is_hidden(secret: str) -> None:
    told = without_secrets(f"https://{secret}@host/x?key={KEY}")
    assert secret not in told
    assert told.endswith("@host/x?key=…")


def test_a_token_in_a_path_is_hidden() -> None:
    assert TOKEN not in without_secrets(f"https://api.telegram.org/bot{TOKEN}/sendMessage")


@given(st.text(), st.text(st.characters(exclude_characters="…"), min_size=4), st.text())
def test_a_known_secret_is_hidden_wherever_it_stands(before: str, secret: str, after: str) -> None:
    told = without_secrets(before + secret + after, secret)
    assert secret not in told
