"""Messages for DingTalk's group robots, by DingTalk's rules."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import registry
from channels.base import AddressError, Recipient, RenderError, Verdict
from channels.dingtalk import CHANNEL
from channels.dingtalk.account import DingTalkAccount
from channels.dingtalk.connection import DingTalkConnection
from channels.dingtalk.render import BODY_BYTES
from tests.channels.wechat.editions import edition, item, paragraphs, stories
from tests.support.platforms import Platforms

TOKEN = "0a" * 32
SIGNED = "5ec" + "0" * 61
ACCOUNT = DingTalkAccount(name="ding")
PART = CHANNEL.render(edition(*stories(2)), ACCOUNT).parts[0]


@pytest.fixture
def connection(base_url: str) -> Iterator[DingTalkConnection]:
    opened = DingTalkConnection(DingTalkAccount(name="ding", base_url=base_url))
    yield opened
    opened.close()


def robot(address: str) -> Recipient:
    return Recipient(address, "1-rev-1")


def test_registry_finds_the_channel() -> None:
    assert registry.get("dingtalk") is CHANNEL


def test_edition_is_markdown_with_paragraphs_apart() -> None:
    [part] = CHANNEL.render(edition(item(1, "甲事"), commentary=paragraphs("快。")), ACCOUNT).parts
    assert part.payload["markdown"]["title"] == "2026.03.02 全球AI新闻速递"
    text = part.payload["markdown"]["text"]
    assert text.startswith("# 2026.03.02 全球AI新闻速递\n\n2026 年 3 月 2 日")
    assert "**1.** [甲事](https://source.example/stories/1)  \nsource.example\n\n它比" in text
    assert text.endswith("**点评**\n\n快。")


def test_cards_are_feeds_of_eight_that_begin_with_the_edition() -> None:
    parts = CHANNEL.render(edition(*stories(12)), ACCOUNT, "cards").parts
    feeds = [part.payload["feedCard"]["links"] for part in parts]
    assert [len(feed) for feed in feeds] == [8, 5]
    assert feeds[0][0]["picURL"] == "https://news.example/editions/2026-03-02/card.png"
    assert feeds[1][-1] == {
        "title": "12. 第12条：新模型发布",
        "messageURL": "https://source.example/stories/12",
        "picURL": "https://news.example/editions/2026-03-02/tile-12.png",
    }


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.text(min_size=1, max_size=300), min_size=1, max_size=60),
    st.text(max_size=9000),
    st.sampled_from(CHANNEL.variants),
)
def test_whatever_the_edition_says_every_body_is_within_20_kb(
    titles: list[str], text: str, variant: str
) -> None:
    items = [item(number, title, text) for number, title in enumerate(titles, start=1)]
    for part in CHANNEL.render(edition(*items, title=titles[0]), ACCOUNT, variant).parts:
        assert len(json.dumps(part.payload, ensure_ascii=False).encode()) < BODY_BYTES


def test_edition_that_says_nothing_is_refused() -> None:
    with pytest.raises(RenderError, match="nothing to send"):
        CHANNEL.render(edition(intro=()), ACCOUNT)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (TOKEN, TOKEN),
        (f"https://oapi.dingtalk.com/robot/send?access_token={TOKEN}", TOKEN),
        (f"{TOKEN}:SEC0123456789", f"{TOKEN}:SEC0123456789"),
    ],
)
def test_address_is_a_token_and_a_secret(text: str, address: str) -> None:
    assert CHANNEL.parse_address(text) == address
    assert CHANNEL.show_address(address) == "robot …0a0a"


def test_what_is_no_robot_is_refused() -> None:
    for text in ("", "short", TOKEN[1:], f"{TOKEN}:no"):
        with pytest.raises(AddressError):
            CHANNEL.parse_address(text)


def test_message_arrives(sandbox: Platforms, connection: DingTalkConnection) -> None:
    assert connection.deliver(PART, robot(TOKEN)).verdict is Verdict.SENT
    [message] = sandbox.received("dingtalk")
    assert message["body"] == PART.payload


def test_robot_that_signs_wants_its_secret(connection: DingTalkConnection) -> None:
    signed = f"{SIGNED}:secret-of-{SIGNED}"
    assert connection.deliver(PART, robot(signed)).verdict is Verdict.SENT
    refused = connection.deliver(PART, robot(SIGNED))
    assert (refused.verdict, refused.code) == (Verdict.FAILED, "dingtalk-310000")


@pytest.mark.parametrize(
    ("code", "verdict", "suppress"),
    [
        (410100, "retrying", None),
        (-1, "retrying", None),
        (310000, "failed", None),
        (400106, "failed", "robot-removed"),
        (40035, "failed", None),
        (777, "failed", None),
    ],
)
def test_each_code_has_its_meaning(
    sandbox: Platforms,
    connection: DingTalkConnection,
    code: int,
    verdict: str,
    suppress: str | None,
) -> None:
    sandbox.misbehave("dingtalk", "reject", match=TOKEN, code=code, text="no")
    outcome = connection.deliver(PART, robot(TOKEN))
    assert (outcome.verdict.value, outcome.code) == (verdict, f"dingtalk-{code}")
    assert outcome.suppress == suppress


def test_twenty_first_message_of_a_minute_blocks_the_robot_for_ten(
    connection: DingTalkConnection,
) -> None:
    token = "0b" * 32
    outcomes = [connection.deliver(PART, robot(token)) for _ in range(22)]
    assert [outcome.code for outcome in outcomes] == ["ok"] * 20 + ["dingtalk-410100"] * 2
    assert outcomes[-1].retry_after == 600


def test_preview_holds_the_messages() -> None:
    files = CHANNEL.preview(edition(*stories(2)), ACCOUNT)
    assert json.loads(files["dingtalk.json"])[0]["msgtype"] == "markdown"
