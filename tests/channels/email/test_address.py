"""Which addresses are accepted, and the form in which they are kept."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import AddressError
from channels.email.address import domain_of, parse_address


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("reader@example.net", "reader@example.net"),
        ("  Reader.Name+news@Example.NET ", "reader.name+news@example.net"),
        ("ÄRZTIN@example.net", "ärztin@example.net"),
        ("o'brien@example.co.uk", "o'brien@example.co.uk"),
        ("读者@例子.中国", "读者@xn--fsqu00a.xn--fiqs8s"),
        ("reader@BÜCHER.example", "reader@xn--bcher-kva.example"),
        ("reader@xn--bcher-kva.example", "reader@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_in_lower_case_and_its_domain_in_ascii(written: str, canonical: str) -> None:
    assert parse_address(written) == canonical


@pytest.mark.parametrize(
    "written",
    [
        "",
        "reader",
        "@example.net",
        "reader@",
        "reader@localhost",
        "a b@example.net",
        "a..b@example.net",
        ".a@example.net",
        "reader@example..net",
        "reader@-example.net",
        "reader@exa mple.net",
        "Reader <reader@example.net>",
        '"a b"@example.net',
        "reader@[127.0.0.1]",
        "reader@example.net\r\nBcc: all@example.net",
        "rea\r\nder@example.net",
        "re\x00ader@example.net",
        "\ud800@example.net",
        "a\u202eb@example.net",
        "x" * 65 + "@example.net",
        "reader@" + "a." * 130 + "net",
    ],
)
def test_refuses_what_no_relay_would_take(written: str) -> None:
    with pytest.raises(AddressError, match="is not an email address"):
        parse_address(written)


def test_refuses_a_domain_that_would_become_another_one() -> None:
    with pytest.raises(AddressError, match="xn-- form"):
        parse_address("leser@faß.example")


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_refused_or_comes_out_canonical(text: str) -> None:
    try:
        canonical = parse_address(text + "@example.net")
    except AddressError:
        return
    assert parse_address(canonical) == canonical
    assert domain_of(canonical) == "example.net"
    assert not set(canonical) & set("\r\n\0 <>,")
