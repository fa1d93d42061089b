"""An edition becomes messages that a group likes to see."""

import base64
import hashlib
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from channels.base import Edition, RenderError
from channels.wechat.messages import limits
from channels.wechat.messages.profiles import PROFILES
from channels.wechat.messages.render import balanced, render

from .editions import edition, item, paragraphs, stories


def sizes(of: Edition) -> list[int]:
    return [len(part.payload["news"]["articles"]) for part in render(of).parts]


def contents(of: Edition, profile: str) -> list[str]:
    kinds = (part.payload[part.payload["msgtype"]] for part in render(of, profile).parts)
    return [kind["content"] for kind in kinds]


def test_lead_stands_alone_and_shows_the_introduction() -> None:
    first, _ = render(edition(item(1, "新模型", "正文。"))).parts
    assert first.payload == {
        "msgtype": "news",
        "news": {
            "articles": [
                {
                    "title": "2026.03.02 全球AI新闻速递",
                    "description": "今天有三件大事。",
                    "url": "https://news.example/editions/2026-03-02",
                    "picurl": "https://news.example/editions/2026-03-02/card.png",
                }
            ]
        },
    }


def test_stories_follow_in_eights_until_every_one_is_in() -> None:
    assert sizes(edition(*stories(8))) == [1, 8]
    assert sizes(edition(*stories(30))) == [1, 8, 8, 7, 7]


def test_messages_are_balanced_so_that_no_card_stands_alone() -> None:
    assert sizes(edition(*stories(9))) == [1, 5, 4]


def test_commentary_takes_the_last_card() -> None:
    parts = render(edition(*stories(12), commentary=paragraphs("都很快。"))).parts
    assert [len(part.payload["news"]["articles"]) for part in parts] == [1, 7, 6]
    assert parts[-1].payload["news"]["articles"][-1]["title"] == "点评：都很快。"


def test_parts_are_numbered_from_one() -> None:
    assert [part.number for part in render(edition(*stories(20))).parts] == [1, 2, 3, 4]


def test_brief_is_one_message_of_seven_stories_and_the_full_text() -> None:
    rendering = render(edition(*stories(12)), "brief")
    [part] = rendering.parts
    titles = [article["title"] for article in part.payload["news"]["articles"]]
    assert titles[0] == "1. 第1条：新模型发布"
    assert titles[6:] == ["7. 第7条：新模型发布", "全文 · 12 条新闻"]
    assert rendering.warnings == ("A brief shows 7 cards; 5 more are in the full text.",)


def test_markdown_has_title_introduction_stories_and_commentary() -> None:
    [text] = contents(edition(item(1, "甲事"), commentary=paragraphs("都很快。")), "markdown")
    assert text == (
        "# 2026.03.02 全球AI新闻速递\n"
        '<font color="comment">2026 年 3 月 2 日　星期一</font> · '
        "[全文](https://news.example/editions/2026-03-02)\n\n"
        "> 今天有三件大事。\n\n"
        "**1.** [甲事](https://source.example/stories/1)\n"
        '<font color="comment">source.example</font>\n它比上一代更快。\n\n'
        "**点评**\n都很快。"
    )


def test_second_markdown_has_no_font_colours() -> None:
    assert "<font" not in contents(edition(*stories(2)), "markdown_v2")[0]


def test_text_has_bare_links_that_every_member_can_open() -> None:
    [text] = contents(edition(item(1, "甲事")), "text")
    assert text.endswith("1. 甲事\n它比上一代更快。\nhttps://source.example/stories/1")


@pytest.mark.parametrize("profile", ["markdown", "markdown_v2", "text"])
def test_stories_are_never_cut_apart(profile: str) -> None:
    text = "字" * 160
    items = [item(n, f"标题{n:02}", text, f"https://s.example/{n:02}") for n in range(1, 31)]
    messages = contents(edition(*items), profile)
    assert len(messages) > 1
    for number in range(1, 31):
        [home] = [message for message in messages if f"标题{number:02}" in message]
        assert f"https://s.example/{number:02}" in home
    assert sum(message.count(text) for message in messages) == 30


def test_overlong_story_degrades_to_title_and_link_with_a_warning() -> None:
    long = edition(item(1, "甲事"), item(2, "乙事", "很长的正文。" * 300))
    rendering = render(long, "markdown")
    text = rendering.parts[-1].payload["markdown"]["content"]
    assert text.endswith("**2.** [乙事](https://source.example/stories/2)")
    assert rendering.warnings == ("Longer than a message, so only title and link: item 2.",)


@pytest.mark.parametrize("profile", ["markdown", "markdown_v2"])
def test_nothing_of_the_digest_is_markup_or_a_mention(profile: str) -> None:
    evil = '<@all> **粗** [x](y) `c` <font color="info">'
    [text] = contents(edition(item(1, evil, evil), title=evil), profile)
    assert "<@all>" not in text
    assert "[x]" not in text
    assert "**粗**" not in text


def test_image_is_one_picture_of_the_whole_digest() -> None:
    [part] = render(edition(*stories(3)), "image").parts
    picture = base64.b64decode(part.payload["image"]["base64"])
    assert hashlib.md5(picture, usedforsecurity=False).hexdigest() == part.payload["image"]["md5"]
    with Image.open(io.BytesIO(picture)) as image:
        assert image.width == 900
        assert image.height > 900


def test_app_gets_the_nearest_profile_that_it_may_post_with_a_warning() -> None:
    rendering = render(edition(*stories(2)), "markdown_v2", limits.APP)
    assert rendering.parts[0].payload["msgtype"] == "markdown"
    assert rendering.warnings == ("An app cannot post markdown_v2, so it posts markdown.",)
    shown = render(edition(*stories(2)), "image", limits.APP)
    assert shown.parts[0].payload["msgtype"] == "news"


def test_rendering_is_deterministic() -> None:
    assert render(edition(*stories(12))) == render(edition(*stories(12)))


def test_complete_edition_has_no_warnings() -> None:
    assert render(edition(*stories(5))).warnings == ()


def test_shortened_texts_are_named_in_a_warning() -> None:
    rendering = render(edition(item(1), item(2, text="很长的正文。" * 60)))
    assert rendering.warnings == ("Only the beginning fits in a card: item 2.",)


def test_more_than_thirty_items_become_headlines_with_links_and_a_warning() -> None:
    many = stories(31)
    rendering = render(edition(*many, commentary=paragraphs("都很快。")))
    first, *rest, last = (part.payload for part in rendering.parts)
    text = "\n\n".join(body["text"]["content"] for body in rest)
    assert len(first["news"]["articles"]) == len(last["news"]["articles"]) == 1
    assert text == "\n\n".join(f"{n}. 第{n}条：新模型发布\n{many[n - 1].url}" for n in range(1, 32))
    assert "31 items are more than 30" in rendering.warnings[0]


def test_headline_with_an_endless_link_opens_the_web_edition_with_a_warning() -> None:
    endless = item(31, url="https://source.example/" + "x" * 1600)
    rendering = render(edition(*stories(30), endless))
    last = rendering.parts[-1].payload["text"]["content"]
    assert last.endswith("https://news.example/editions/2026-03-02")
    assert any("Item 31" in warning for warning in rendering.warnings)


def test_edition_that_says_nothing_is_refused() -> None:
    with pytest.raises(RenderError, match="nothing to send"):
        render(edition(intro=()))


@pytest.mark.parametrize(
    "web_url", ["", "/editions/1", "https://", "https://x.example/" + "y" * 1024]
)
def test_edition_without_a_usable_web_address_is_refused(web_url: str) -> None:
    with pytest.raises(RenderError, match="public address"):
        render(edition(*stories(1), web_url=web_url))


@pytest.mark.parametrize("target", [limits.ROBOT, limits.APP], ids=["robot", "app"])
@pytest.mark.parametrize("profile", [p for p in PROFILES if p != "image"])
@settings(max_examples=12, deadline=None)
@given(
    titles=st.lists(st.text(min_size=1, max_size=300), min_size=1, max_size=40),
    text=st.text(max_size=400),
)
def test_whatever_the_edition_says_every_message_is_within_the_limits(
    profile: str, target: limits.Target, titles: list[str], text: str
) -> None:
    items = [item(number, title, text) for number, title in enumerate(titles, start=1)]
    shown = edition(*items, commentary=paragraphs(text or "x"))
    for part in render(shown, profile, target).parts:
        limits.validate(part.payload, target)
        json.dumps(part.payload, ensure_ascii=False).encode()


@given(st.integers(min_value=1, max_value=100))
def test_groups_differ_by_at_most_one_and_are_as_few_as_can_be(count: int) -> None:
    groups = balanced(range(count), 8)
    assert [card for group in groups for card in group] == list(range(count))
    assert max(map(len, groups)) <= 8
    assert max(map(len, groups)) - min(map(len, groups)) <= 1
    assert len(groups) == -(-count // 8)
