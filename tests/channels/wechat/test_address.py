"""A subscriber's address is a robot's key, and the key is a secret."""

import pytest

from channels.base import AddressError
from channels.wechat.address import parse_address, show_address

KEY = "693a91f6-7cbc-4bc4-97a0-0ec2a6fa7b2c"


@pytest.mark.parametrize(
    "given",
    [
        KEY,
        f"  {KEY}\n",
        f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}",
        f"http://127.0.0.1:8081/cgi-bin/webhook/send?debug=1&key={KEY}",
    ],
)
def test_key_and_webhook_address_have_one_canonical_form(given: str) -> None:
    assert parse_address(given) == KEY


@pytest.mark.parametrize(
    "given",
    [
        "",
        "reader@example.org",
        "short",
        "密钥密钥密钥密钥密钥",
        f"{KEY}/../x",
        f"https://open.feishu.example/open-apis/bot/v2/hook/{KEY}",
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send",
        f"ftp://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}",
        f"https://[broken/cgi-bin/webhook/send?key={KEY}",
    ],
)
def test_what_is_no_key_is_refused_with_a_way_out(given: str) -> None:
    with pytest.raises(AddressError, match="Copy the webhook address"):
        parse_address(given)


def test_refusal_does_not_repeat_the_key() -> None:
    with pytest.raises(AddressError) as refused:
        parse_address(f"https://elsewhere.example/?key={KEY}")
    assert KEY not in str(refused.value)


def test_shown_address_has_only_the_end_of_the_key() -> None:
    assert show_address(KEY) == "robot …7b2c"
