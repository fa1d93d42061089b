"""Cards for Feishu's group robots, by Feishu's rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import registry
from channels.base import AddressError, Part, Recipient, RenderError, Verdict
from channels.feishu import CHANNEL
from channels.feishu.account import FeishuAccount
from channels.feishu.connection import FeishuConnection
from channels.feishu.render import BODY_BYTES
from tests.channels.wechat.editions import edition, item, paragraphs, stories
from tests.support.platforms import Platforms

TOKEN = "7d0f6c1e-58a3-4e0b-9a41-c2b3f1d8e601"
SIGNED = "5ecf6c1e-58a3-4e0b-9a41-c2b3f1d8e602"
ACCOUNT = FeishuAccount(name="feishu")
PART = CHANNEL.render(edition(*stories(2)), ACCOUNT).parts[0]


@pytest.fixture
def connection(base_url: str) -> Iterator[FeishuConnection]:
    opened = FeishuConnection(FeishuAccount(name="feishu", base_url=base_url))
    yield opened
    opened.close()


def robot(address: str) -> Recipient:
    return Recipient(address, "1-rev-1")


def test_registry_finds_the_channel() -> None:
    assert registry.get("feishu") is CHANNEL


def test_edition_is_one_card_with_title_text_and_a_button() -> None:
    [part] = CHANNEL.render(edition(*stories(12), commentary=paragraphs("都很快。")), ACCOUNT).parts
    card = part.payload["card"]
    assert card["header"]["title"]["content"] == "2026.03.02 全球AI新闻速递"
    text = card["elements"][0]["content"]
    assert "**12.** [第12条：新模型发布](https://source.example/stories/12)" in text
    assert text.endswith("**点评**\n都很快。")
    assert card["elements"][2]["actions"][0]["url"] == "https://news.example/editions/2026-03-02"


def test_long_edition_takes_more_cards_and_cuts_no_story() -> None:
    texts = [f"正文{n}，" + "字" * 400 for n in range(1, 31)]
    items = [item(n, f"标题{n}", text) for n, text in enumerate(texts, start=1)]
    parts = CHANNEL.render(edition(*items), ACCOUNT).parts
    assert len(parts) > 1
    assert parts[0].payload["card"]["header"]["title"]["content"].endswith(f"（1/{len(parts)}）")
    whole = "".join(part.payload["card"]["elements"][0]["content"] for part in parts)
    assert all(text in whole for text in texts)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=300), min_size=1, max_size=60), st.text(max_size=9000))
def test_whatever_the_edition_says_every_body_is_within_20_kb(titles: list[str], text: str) -> None:
    items = [item(number, title, text) for number, title in enumerate(titles, start=1)]
    for part in CHANNEL.render(edition(*items, title=titles[0]), ACCOUNT).parts:
        assert len(json.dumps(part.payload, ensure_ascii=False).encode()) < BODY_BYTES - 200


def test_nobody_is_mentioned_by_what_a_digest_says() -> None:
    [part] = CHANNEL.render(edition(item(1, "<at id=all></at>")), ACCOUNT).parts
    assert "<at" not in json.dumps(part.payload, ensure_ascii=False)


def test_edition_that_says_nothing_is_refused() -> None:
    with pytest.raises(RenderError, match="nothing to send"):
        CHANNEL.render(edition(intro=()), ACCOUNT)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (TOKEN, TOKEN),
        (f"https://open.feishu.cn/open-apis/bot/v2/hook/{TOKEN}", TOKEN),
        (f" {TOKEN}:SECxyz-12345 ", f"{TOKEN}:SECxyz-12345"),
        (
            f"https://open.larksuite.com/open-apis/bot/v2/hook/{TOKEN}:secret-12",
            f"{TOKEN}:secret-12",
        ),
    ],
)
def test_address_is_a_token_and_a_secret(text: str, address: str) -> None:
    assert CHANNEL.parse_address(text) == address
    assert CHANNEL.show_address(address) == "robot …e601"


@pytest.mark.parametrize("text", ["", "me@example.org", f"{TOKEN}:", f"{TOKEN}:a b c d e f g h"])
def test_what_is_no_robot_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(AddressError) as refused:
        CHANNEL.parse_address(text)
    assert TOKEN not in str(refused.value)


def test_card_arrives(sandbox: Platforms, connection: FeishuConnection) -> None:
    outcome = connection.deliver(PART, robot(TOKEN))
    assert (outcome.verdict, outcome.code) == (Verdict.SENT, "ok")
    [message] = sandbox.received("feishu")
    assert message["body"] == PART.payload


def test_robot_that_signs_wants_its_secret(
    sandbox: Platforms, connection: FeishuConnection
) -> None:
    signed = f"{SIGNED}:secret-of-{SIGNED}"
    assert connection.deliver(PART, robot(signed)).verdict is Verdict.SENT
    refused = connection.deliver(PART, robot(SIGNED))
    assert (refused.verdict, refused.code) == (Verdict.FAILED, "feishu-19021")
    assert "TOKEN:SECRET" in (CHANNEL.explain(refused.code, "zh") or "")


@pytest.mark.parametrize(
    ("code", "verdict"),
    [(11232, "retrying"), (19001, "failed"), (19024, "failed"), (9499, "failed"), (777, "failed")],
)
def test_each_code_has_its_meaning(
    sandbox: Platforms, connection: FeishuConnection, code: int, verdict: str
) -> None:
    sandbox.misbehave("feishu", "reject", match=TOKEN, code=code, text="no")
    outcome = connection.deliver(PART, robot(TOKEN))
    assert (outcome.verdict.value, outcome.code) == (verdict, f"feishu-{code}")
    assert TOKEN not in repr(outcome)


def test_page_is_tried_again_and_silence_is_unknown(
    sandbox: Platforms, connection: FeishuConnection
) -> None:
    sandbox.misbehave("feishu", "http_error", match=TOKEN, status=502)
    assert connection.deliver(PART, robot(TOKEN)).code == "feishu-http-502"
    sandbox.behave()
    sandbox.misbehave("feishu", "drop_after", match=TOKEN)
    assert connection.deliver(PART, robot(TOKEN)).verdict is Verdict.UNKNOWN


def test_more_than_five_a_second_are_throttled(
    sandbox: Platforms, connection: FeishuConnection
) -> None:
    small = Part(1, {"msg_type": "text", "content": {"text": "早安"}})
    key = "11111111-58a3-4e0b-9a41-c2b3f1d8e699"
    codes = {connection.deliver(small, robot(key)).code for _ in range(102)}
    assert "feishu-11232" in codes


def test_preview_holds_the_cards(tmp_path: Path) -> None:
    files = CHANNEL.preview(edition(*stories(2)), ACCOUNT)
    assert json.loads(files["feishu.json"])[0]["msg_type"] == "interactive"
