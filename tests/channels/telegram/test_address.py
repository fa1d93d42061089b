from __future__ import annotations

import pytest

from channels.base import AddressError
from channels.telegram import CHANNEL


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("-1001234567890", "-1001234567890"),
        (" 42 ", "42"),
        ("@Daily_News", "@daily_news"),
        ("https://t.me/Daily_News", "@daily_news"),
        ("t.me/daily_news/", "@daily_news"),
        ("@-5", None),
        ("daily_news", None),
        ("reader@example.com", None),
        ("https://t.me/+invitation", None),
        ("@每日要闻", None),
        ("@a", None),
        ("-0", None),
        ("１２３", None),
        ("", None),
    ],
)
def test_a_chat_is_a_number_or_a_name_in_one_form(text: str, address: str | None) -> None:
    if address is None:
        with pytest.raises(AddressError, match="not a Telegram chat"):
            CHANNEL.parse_address(text)
    else:
        assert CHANNEL.parse_address(text) == address
        assert CHANNEL.parse_address(address) == address


def test_an_address_is_no_secret() -> None:
    assert CHANNEL.show_address("@daily_news") == "@daily_news"
