"""An edition becomes messages that a group likes to see."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import Edition, RenderError
from channels.wechat import limits
from channels.wechat.render import balanced, render

from .editions import edition, item, paragraphs, stories


def sizes(of: Edition) -> list[int]:
    return [len(part.payload["news"]["articles"]) for part in render(of).parts]


def test_small_edition_is_one_message() -> None:
    assert sizes(edition(*stories(7))) == [8]


def test_messages_are_balanced_so_that_no_card_stands_alone() -> None:
    assert sizes(edition(*stories(8))) == [5, 4]


def test_commentary_takes_the_last_card() -> None:
    parts = render(edition(*stories(12), commentary=paragraphs("都很快。"))).parts
    assert [len(part.payload["news"]["articles"]) for part in parts] == [7, 7]
    assert parts[-1].payload["news"]["articles"][-1]["title"] == "点评：都很快。"


def test_parts_are_numbered_from_one() -> None:
    assert [part.number for part in render(edition(*stories(20))).parts] == [1, 2, 3]


def test_payload_is_the_webhook_body() -> None:
    [part] = render(edition(item(1, "新模型", "正文。"))).parts
    assert part.payload == {
        "msgtype": "news",
        "news": {
            "articles": [
                {
                    "title": "2026.03.02 全球AI新闻速递",
                    "description": "今天有三件大事。",
                    "url": "https://news.example/editions/2026-03-02",
                },
                {
                    "title": "1. 新模型",
                    "description": "正文。",
                    "url": "https://source.example/stories/1",
                },
            ]
        },
    }


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
    first, *rest = (part.payload for part in rendering.parts)
    text = "\n\n".join(body["text"]["content"] for body in rest)
    assert len(first["news"]["articles"]) == 2
    assert text == "\n\n".join(f"{n}. 第{n}条：新模型发布\n{many[n - 1].url}" for n in range(1, 32))
    assert "31 items are more than 30 cards" in rendering.warnings[0]


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


@given(
    titles=st.lists(st.text(min_size=1, max_size=300), min_size=1, max_size=40),
    text=st.text(max_size=400),
)
def test_whatever_the_edition_says_every_message_is_within_the_limits(
    titles: list[str], text: str
) -> None:
    items = [item(number, title, text) for number, title in enumerate(titles, start=1)]
    for part in render(edition(*items, commentary=paragraphs(text or "x"))).parts:
        limits.validate(part.payload)
        json.dumps(part.payload, ensure_ascii=False).encode()


@given(st.integers(min_value=1, max_value=100))
def test_groups_differ_by_at_most_one_and_are_as_few_as_can_be(count: int) -> None:
    groups = balanced(range(count), 8)
    assert [card for group in groups for card in group] == list(range(count))
    assert max(map(len, groups)) <= 8
    assert max(map(len, groups)) - min(map(len, groups)) <= 1
    assert len(groups) == -(-count // 8)
