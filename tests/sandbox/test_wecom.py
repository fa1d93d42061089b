"""WeCom's group robot, judged by errcode."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from distributor.sandbox.wecom_rules import cut
from tests.sandbox.conftest import KEY, Client

ARTICLE = {"title": "要闻", "url": "https://example.org/1"}
CARD = {
    "card_type": "text_notice",
    "main_title": {"title": "要闻"},
    "card_action": {"type": 1, "url": "https://example.org/"},
}
NEWS_CARD = {
    **CARD,
    "card_type": "news_notice",
    "card_image": {"url": "https://example.org/cover.png", "aspect_ratio": 2.25},
}


def image(kind: str = "PNG") -> dict[str, str]:
    stream = io.BytesIO()
    Image.new("RGB", (40, 20)).save(stream, kind)
    raw = stream.getvalue()
    md5 = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    return {"base64": base64.b64encode(raw).decode(), "md5": md5}


def code(client: Client, msgtype: str, content: Any) -> int:
    errcode: int = client.robot(msgtype=msgtype, **{msgtype: content})["errcode"]
    return errcode


@pytest.mark.parametrize(
    ("msgtype", "content"),
    [
        ("text", {"content": "字" * 682}),
        ("markdown", {"content": "字" * 1365}),
        ("markdown_v2", {"content": "# 标题"}),
        ("news", {"articles": [ARTICLE] * 8}),
        ("image", image()),
        ("image", image("JPEG")),
        ("template_card", CARD),
        ("template_card", NEWS_CARD),
    ],
)
def test_accepts_what_the_platform_accepts(client: Client, msgtype: str, content: Any) -> None:
    assert client.robot(msgtype=msgtype, **{msgtype: content}) == {"errcode": 0, "errmsg": "ok"}
    (kept,) = client.messages(platform="wecom", address=KEY)
    assert kept["body"] == {"msgtype": msgtype, msgtype: content}


@pytest.mark.parametrize(
    ("msgtype", "content", "errcode"),
    [
        ("fax", {"content": "x"}, 40008),
        ("text", {}, 44004),
        ("text", {"content": "  "}, 44004),
        ("text", "hello", 44004),
        ("text", {"content": "字" * 683}, 45002),
        ("markdown", {"content": "字" * 1366}, 40058),
        ("news", {"articles": []}, 44004),
        ("news", {"articles": [ARTICLE] * 9}, 45008),
        ("news", {"articles": [{"title": "no link"}]}, 40058),
        ("news", {"articles": [{"url": "https://example.org/"}]}, 44004),
        ("image", {"base64": "!", "md5": ""}, 40058),
        ("image", {**image(), "md5": "0" * 32}, 301019),
        ("image", image("GIF"), 40005),
        ("template_card", {**CARD, "card_action": {}}, 40058),
        ("template_card", {**CARD, "main_title": {}}, 40058),
        ("template_card", {**CARD, "jump_list": [{}] * 4}, 40058),
        ("template_card", {**CARD, "card_type": "vote"}, 40058),
        ("template_card", {**NEWS_CARD, "card_image": {}}, 40058),
        (
            "template_card",
            {**NEWS_CARD, "card_image": {"url": "https://e.org/", "aspect_ratio": 3}},
            40058,
        ),
    ],
)
def test_refuses_what_the_platform_refuses(
    client: Client, msgtype: str, content: Any, errcode: int
) -> None:
    assert code(client, msgtype, content) == errcode
    assert client.messages() == []
    assert client.refused("wecom") == {str(errcode): 1}


def test_cuts_long_titles_and_descriptions_and_says_so(client: Client) -> None:
    article = {**ARTICLE, "title": "标" * 43, "description": "述" * 171}
    assert code(client, "news", {"articles": [article]}) == 0
    (kept,) = client.messages()
    shown = kept["body"]["news"]["articles"][0]
    assert (shown["title"], shown["description"]) == ("标" * 42, "述" * 170)
    assert kept["warnings"] == [
        "title of article 1 was cut at 128 bytes",
        "description of article 1 was cut at 512 bytes",
    ]


@pytest.mark.parametrize("key", ["", "short", "with space-and-more", "a/b/c/d/e/f"])
def test_a_malformed_key_is_an_invalid_webhook(client: Client, key: str) -> None:
    assert client.robot(key=key, msgtype="text", text={"content": "x"})["errcode"] == 93000


@pytest.mark.parametrize("body", [b"{", b"[]", '{"msgtype": "文"}'.encode("gbk")])
def test_the_body_must_be_a_json_object_in_utf_8(client: Client, body: bytes) -> None:
    url = f"{client.sandbox.base_url}/cgi-bin/webhook/send?key={KEY}"
    assert requests.post(url, data=body, timeout=10).json()["errcode"] == 47001


def test_a_robot_takes_twenty_messages_a_minute(client: Client) -> None:
    url = f"{client.sandbox.base_url}/cgi-bin/webhook/send?key="
    body = json.dumps({"msgtype": "text", "text": {"content": "x"}})
    with requests.Session() as session:
        codes = [session.post(url + KEY, data=body).json()["errcode"] for _ in range(21)]
        other = session.post(url + "another-robot", data=body).json()["errcode"]
    assert codes == [0] * 20 + [45009]
    assert other == 0


@given(st.text(), st.integers(0, 40))
def test_a_cut_breaks_no_character(text: str, limit: int) -> None:
    assert text.startswith(cut(text, limit))
    assert len(cut(text, limit).encode()) <= limit
    assert len(cut(text, limit).encode()) > limit - 4 or cut(text, limit) == text
