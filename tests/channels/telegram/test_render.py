from __future__ import annotations

import json
import re
from typing import Any

import pytest

from channels.base import Edition, RenderError
from channels.telegram import CHANNEL
from channels.telegram.buttons import list_of_payload, start_payload
from channels.telegram.hashtags import hashtags
from distributor.digest.model import Heading, Quote, Strong, Text
from distributor.templating import Templates
from tests.channels.telegram.editions import account, edition, item, paragraph, rendered
from tests.channels.telegram.judge import Message, read

SENTENCE = "这是一句用来占地方的话，说得不短。"


def posts(given: Edition, variant: str = "", **values: Any) -> list[Message]:
    return [read(part.payload["text"]) for part in rendered(given, variant, **values).parts]


def test_a_post_has_title_hashtags_intro_items_commentary_and_footer() -> None:
    (post,) = posts(
        edition(
            (item(1, "甲", "https://example.com/1"), item(2, "乙", "https://example.com/2")),
            title="要闻 <AT&T>",
            categories=("AI", "大 模型"),
            intro=(paragraph("导语。"),),
            commentary=(paragraph("评一。"), paragraph("评二。")),
        )
    )
    assert post.text == (
        "要闻 <AT&T>\n#AI #大模型\n\n导语。\n\n1. 甲\n正文。\n\n2. 乙\n正文。\n\n"
        "点评\n评一。\n\n评二。\n\n网页版"
    )
    assert post.styled("Bold") == ["要闻 <AT&T>", "1. 甲", "2. 乙", "点评"]
    assert post.styled("ExpandableBlockQuote") == ["正文。", "正文。", "评一。\n\n评二。"]
    assert post.links == [
        ("甲", "https://example.com/1"),
        ("乙", "https://example.com/2"),
        ("网页版", "https://digest.example.com/e/1"),
    ]


def test_a_part_is_a_call_without_its_chat() -> None:
    (part,) = rendered(edition((item(1),))).parts
    assert part.number == 1
    assert dict(part.payload) == {
        "method": "sendMessage",
        "text": part.payload["text"],
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }


def test_only_the_first_part_rings() -> None:
    parts = rendered(edition((item(1, body=(paragraph(SENTENCE * 500),)),))).parts
    silent = [part.payload.get("disable_notification", False) for part in parts]
    assert silent == [False, *[True] * (len(parts) - 1)]


def test_fixed_words_follow_the_language() -> None:
    (post,) = posts(edition((item(1),), language="en-GB", commentary=(paragraph("Well."),)))
    assert "Commentary" in post.text
    assert post.text.endswith("Read on the web")


def test_a_section_is_named_where_it_begins() -> None:
    items = (item(1, section="国内"), item(2, section="国内"), item(3, section="国外"))
    (post,) = posts(edition(items))
    assert [post.text.count(f"▎{name}") for name in ("国内", "国外")] == [1, 1]


def test_an_author_stands_beside_the_headline_and_is_not_linked() -> None:
    (post,) = posts(edition((item(1, author="Booking.com"),)))
    assert "标题 · Booking.\u2060com" in post.text
    assert post.added == ()


def test_an_item_without_a_link_or_body_is_a_headline() -> None:
    (post,) = posts(edition((item(1, "推出C.ai", None, ()),), web_url=""))
    assert post.text == "每日要闻\n\n1. 推出C.\u2060ai"
    assert post.entities == (("Bold", "每日要闻", ""), ("Bold", "1. 推出C.\u2060ai", ""))


def test_an_address_that_telegram_would_lose_is_shown_with_a_warning() -> None:
    given = edition((item(1, "内网", "http://intranet/story"),))
    assert "1. 内网\nhttp://intranet/story\n正文。" in posts(given)[0].text
    assert rendered(given).warnings == (
        "item 1: Telegram cannot link to its address, which is shown as text",
    )


def test_the_footer_pretends_no_link_that_telegram_would_drop() -> None:
    (post,) = posts(edition((item(1),), web_url="http://localhost:8080/e/1"))
    assert post.text.endswith("网页版 http://localhost:8080/e/1")
    assert [url for _, url in post.links] == ["https://news.example.com/story"]


def test_an_address_of_2000_characters_survives() -> None:
    url = "https://example.com/?q=" + "a" * 1977
    assert ("标题", url) in posts(edition((item(1, url=url),)))[0].links


def test_thirty_items_come_in_full_whatever_it_takes() -> None:
    url = "https://example.com/?id={}&q=" + "a" * 1900
    items = tuple(
        item(n, f"第{n}条 <b>&", url.format(n), (paragraph(SENTENCE * 30),)) for n in range(1, 31)
    )
    links = [link for post in posts(edition(items)) for link in post.links]
    assert links[:-1] == [(f"第{n}条 <b>&", url.format(n)) for n in range(1, 31)]


def test_more_than_thirty_items_are_headlines_in_three_parts_at_most() -> None:
    items = tuple(item(n, f"第{n}条", f"https://example.com/{n}") for n in range(1, 32))
    given = edition(items)
    (post,) = posts(given)
    assert [url for _, url in post.links[:-1]] == [i.url for i in items]
    assert "正文" not in post.text
    assert rendered(given).warnings == (
        "31 items are too many for Telegram: the post holds headlines only",
    )


def test_headlines_beyond_three_parts_are_counted_and_left_to_the_web_edition() -> None:
    items = tuple(item(n, f"第{n}条", f"https://example.com/{n}") for n in range(1, 401))
    given = edition(items)
    messages = posts(given)
    shown = sum(len(post.links) for post in messages) - 1
    assert len(messages) == 3
    assert shown > 200
    assert f"另有 {400 - shown} 条见网页版" in messages[-1].text
    assert f"the last {400 - shown} are on the web edition alone" in rendered(given).warnings[0]


def test_parts_are_numbered_only_when_there_are_several() -> None:
    assert "(1/1)" not in posts(edition((item(1),)))[0].text
    messages = posts(edition(intro=(paragraph(SENTENCE * 500),)))
    total = len(messages)
    assert [post.text.split("\n")[-1] for post in messages] == [
        f"({number}/{total})" for number in range(1, total + 1)
    ]


def test_parts_are_even_and_a_headline_stays_with_its_body() -> None:
    items = tuple(item(n, f"第{n}条", body=(paragraph(SENTENCE * 20),)) for n in range(1, 14))
    messages = posts(edition(items))
    lengths = [len(post.text) for post in messages]
    assert len(messages) == 2
    assert min(lengths) > 0.8 * max(lengths)
    for post in messages:
        assert len(post.styled("ExpandableBlockQuote")) == len(post.styled("Bold")) - (
            "每日要闻" in post.text
        )


def test_a_quotation_and_bold_text_go_on_in_the_next_part() -> None:
    long = Strong((Text(SENTENCE * 400),))
    body = (Heading(2, (Text("小标题"),)), paragraph("短。"), type(paragraph(""))((long,)))
    messages = posts(edition((item(1, body=body),)))
    assert len(messages) > 1
    for post in messages[1:]:
        assert len(post.styled("ExpandableBlockQuote")) == 1
        assert post.styled("Bold")[0].endswith("。")


def test_prose_is_split_between_paragraphs_and_a_heading_never_ends_a_part() -> None:
    intro = tuple(
        block
        for n in range(12)
        for block in (Heading(2, (Text(f"小节{n}"),)), paragraph(SENTENCE * 40))
    )
    for post in posts(edition(intro=intro)):
        lines = [line for line in post.text.split("\n") if line]
        body = [line for line in lines if not line.startswith("(") and line != "网页版"]
        assert body[-1].endswith("。")


def test_text_is_guarded_anew_where_it_was_cut() -> None:
    text = "字https://example.com/路😀@openaiC.ai今天😀（注）" * 179
    for post in posts(edition(intro=(paragraph(text),))):
        assert post.added == ()


def test_a_title_too_long_for_a_headline_goes_on_in_the_body() -> None:
    title = "长标题。" * 1250
    messages = posts(edition((item(1, title, "https://example.com/1"),)))
    ((label, url),) = [link for post in messages for link in post.links if "长" in link[0]]
    assert (label[-1], url) == ("…", "https://example.com/1")
    assert sum(post.text.count("长标题") for post in messages) > 1250


def test_an_edition_title_too_long_for_a_headline_is_shortened() -> None:
    (post,) = posts(edition((item(1),), title="长" * 5000))
    assert len(post.styled("Bold")[0]) <= 1001


def test_in_full_nothing_is_folded_and_a_quotation_stays_one() -> None:
    body = (paragraph("正文。"), Quote((paragraph("引文。"),)))
    given = edition((item(1, body=body),), commentary=(paragraph("评。"),))
    (post,) = posts(given, "full")
    assert "1. 标题\n正文。\n\n引文。" in post.text
    assert post.styled("ExpandableBlockQuote") == []
    assert post.styled("BlockQuote") == ["引文。", "评。"]


def test_headlines_come_without_bodies_by_section() -> None:
    items = (item(1, "甲", section="国内"), item(2, "乙", section="国内"), item(3, "丙"))
    (post,) = posts(edition(items, intro=(paragraph("导语。"),)), "headlines")
    assert post.text == "每日要闻\n\n导语。\n\n▎国内\n\n1. 甲\n2. 乙\n\n3. 丙\n\n网页版"
    assert [label for label, _ in post.links] == ["甲", "乙", "丙", "网页版"]


def test_headlines_of_prose_are_the_prose() -> None:
    (post,) = posts(edition(intro=(paragraph("一篇文章。"),)), "headlines")
    assert "一篇文章。" in post.text


def test_a_subscriber_without_a_choice_gets_the_style_of_the_account() -> None:
    given = edition((item(1),))
    assert rendered(given, style="headlines") == rendered(given, "headlines")
    assert rendered(given) == rendered(given, "collapsed")


def test_buttons_lead_to_the_web_edition_and_to_subscribing() -> None:
    given = edition((item(1, body=(paragraph(SENTENCE * 500),)),))
    parts = rendered(given, buttons=True, username="daily_bot", open_lists=("每日",)).parts
    assert "reply_markup" not in parts[0].payload
    ((web, subscribe),) = parts[-1].payload["reply_markup"]["inline_keyboard"]
    assert web == {"text": "网页版", "url": "https://digest.example.com/e/1"}
    assert subscribe["text"] == "订阅"
    start, _, payload = subscribe["url"].partition("=")
    assert start == "https://t.me/daily_bot?start"
    assert list_of_payload(payload) == "每日"
    assert "网页版" not in read(parts[-1].payload["text"]).text


@pytest.mark.parametrize("name", ["daily", "_-daily", "日报 & news", "a_b-c"])
def test_a_deep_link_carries_the_name_of_a_list(name: str) -> None:
    payload = start_payload(name)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", payload)
    assert list_of_payload(payload) == name


def test_a_list_name_too_long_for_a_deep_link_is_left_out() -> None:
    assert start_payload("很长" * 40) == ""


def test_no_button_leads_where_telegram_would_refuse_it() -> None:
    given = edition((item(1),), web_url="http://localhost:8080/e/1")
    (part,) = rendered(given, buttons=True).parts
    assert "reply_markup" not in part.payload
    assert "http://localhost:8080/e/1" in part.payload["text"]


def test_a_preview_of_the_web_edition_stands_above_the_first_part() -> None:
    given = edition((item(1, body=(paragraph(SENTENCE * 500),)),))
    first, *others = rendered(given, preview=True).parts
    assert first.payload["link_preview_options"] == {
        "url": "https://digest.example.com/e/1",
        "prefer_large_media": True,
        "show_above_text": True,
    }
    assert {str(part.payload["link_preview_options"]) for part in others} == {
        "{'is_disabled': True}"
    }


def test_a_template_that_telegram_refuses_is_an_error_in_its_words(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("templates")
    (folder / "telegram").mkdir()
    (folder / "telegram" / "item.html.j2").write_text("<p>{{ title }}</p>")
    given = edition((item(1),))
    broken = Edition(given.digest, given.web_url, given.publisher, Templates(folder))
    with pytest.raises(RenderError, match='Unsupported start tag "p"'):
        rendered(broken)


@pytest.mark.parametrize(
    ("categories", "tags"),
    [
        (("AI", "ai", "大 模型", "C/C++"), ["#AI", "#大模型", "#CC"]),
        (("2025", "！", ""), []),
        (("<b>", "a&b"), ["#b", "#ab"]),
        (("AI_行业",), ["#AI_行业"]),
        ([f"类{n}甲" for n in range(99)], [f"#类{n}甲" for n in range(12)]),
        (("长" * 70, "短"), ["#短"]),
    ],
)
def test_categories_become_hashtags_that_telegram_knows(
    categories: tuple[str, ...], tags: list[str]
) -> None:
    assert hashtags(categories) == tags


def test_the_preview_is_the_calls_in_order() -> None:
    given = edition((item(1, body=(paragraph(SENTENCE * 500),)),))
    files = CHANNEL.preview(given, account())
    calls = json.loads(files["telegram.json"])
    assert list(files) == ["telegram.json"]
    assert [call["chat_id"] for call in calls] == ["@preview"] * len(calls)
    assert [{k: v for k, v in call.items() if k != "chat_id"} for call in calls] == [
        dict(part.payload) for part in rendered(given).parts
    ]
    assert "占地方".encode() in files["telegram.json"]
