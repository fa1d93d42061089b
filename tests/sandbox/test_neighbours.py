"""Feishu's and DingTalk's robots, and the pages that show their groups."""

from __future__ import annotations

from typing import Any

import html5lib
import pytest
import requests

from tests.sandbox.conftest import HOSTILE_CARD, Client

FEISHU = "7d0f6c1e-58a3-4e0b-9a41-c2b3f1d8e601"
DINGTALK = "0a" * 32


def feishu(client: Client, **body: Any) -> dict[str, Any]:
    url = f"{client.sandbox.base_url}/open-apis/bot/v2/hook/{FEISHU}"
    answer: dict[str, Any] = requests.post(url, json=body, timeout=10).json()
    return answer


def dingtalk(client: Client, token: str = DINGTALK, **body: Any) -> dict[str, Any]:
    url = f"{client.sandbox.base_url}/robot/send"
    answer: dict[str, Any] = requests.post(
        url, params={"access_token": token}, json=body, timeout=10
    ).json()
    return answer


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"msg_type": "text", "content": {"text": "早安"}}, 0),
        ({"msg_type": "interactive", "card": HOSTILE_CARD}, 0),
        ({"msg_type": "interactive", "card": {"elements": []}}, 9499),
        ({"msg_type": "text", "content": {}}, 9499),
        ({"msg_type": "text", "content": {"text": "字" * 7_000}}, 9499),
    ],
)
def test_feishu_judges_a_message(client: Client, body: dict[str, Any], code: int) -> None:
    assert feishu(client, **body)["code"] == code
    assert len(client.messages(platform="feishu")) == (code == 0)


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"msgtype": "markdown", "markdown": {"title": "要闻", "text": "# 要闻"}}, 0),
        ({"msgtype": "markdown", "markdown": {"title": "要闻"}}, 400105),
        ({"msgtype": "feedCard", "feedCard": {"links": [{"title": "x"}]}}, 40035),
        ({"msgtype": "markdown", "markdown": {"title": "x", "text": "字" * 7_000}}, 460101),
    ],
)
def test_dingtalk_judges_a_message(client: Client, body: dict[str, Any], errcode: int) -> None:
    assert dingtalk(client, **body)["errcode"] == errcode
    assert dingtalk(client, token="", **body)["errcode"] == 400101


def test_a_group_is_shown_and_nothing_received_becomes_markup(client: Client) -> None:
    feishu(client, msg_type="interactive", card=HOSTILE_CARD)
    evil = "<script>alert(1)</script>[x](javascript:alert(1))"
    dingtalk(client, msgtype="markdown", markdown={"title": evil, "text": evil})
    for path, token in (("/feishu", FEISHU), ("/dingtalk", DINGTALK)):
        page = client.get(path)
        html5lib.HTMLParser(strict=True).parse(page.text)
        assert "<script" not in page.text
        assert 'href="javascript' not in page.text
        assert token not in page.text
    assert '<span class="muted">昨天</span>' in client.get("/feishu").text
