"""What the cards of an edition say and open."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import Edition
from channels.wechat.messages.cards import (
    Card,
    closing_cards,
    full_text_card,
    item_card,
    item_cards,
    lead_card,
)
from channels.wechat.messages.limits import NEWS_DESCRIPTION_BYTES, NEWS_TITLE_BYTES, validate
from distributor.digest.model import Link, Paragraph, Text
from distributor.digest.shorten import one_line, utf8_length

from .editions import WEB_URL, edition, item, paragraphs, stories

LONG_TITLE = "人工智能公司宣布推出面向科研人员的开源多模态模型并公布全部训练数据" * 2


def edition_cards(of: Edition) -> tuple[Card, ...]:
    return (lead_card(of), *item_cards(of), *closing_cards(of))


def test_lead_shows_the_introduction_and_opens_the_web_edition() -> None:
    card = lead_card(edition(*stories(3)))
    assert card.title == "2026.03.02 全球AI新闻速递"
    assert card.description == "今天有三件大事。"
    assert card.url == WEB_URL


def test_lead_without_introduction_says_how_many_stories_there_are_and_on_what() -> None:
    card = lead_card(edition(*stories(3), intro=(), categories=("大模型", "机器人")))
    assert card.description == "3 条新闻 · 大模型 · 机器人"


def test_lead_without_title_names_the_publisher() -> None:
    assert lead_card(edition(title=" ")).title == "晨间简报"


def test_lead_title_that_is_too_long_opens_the_description_in_full() -> None:
    card = lead_card(edition(title=LONG_TITLE))
    assert card.title.endswith("…")
    assert card.description == f"{LONG_TITLE}\n今天有三件大事。"


def test_prose_edition_is_one_card_with_its_beginning() -> None:
    prose = edition(intro=paragraphs("开头一句。" * 100))
    [card] = edition_cards(prose)
    assert card.description.startswith("开头一句。")
    assert card.shortened


def test_item_card_is_numbered_and_opens_its_source() -> None:
    card = item_card(item(7, "新模型发布"), edition())
    assert card.title == "7. 新模型发布"
    assert card.description == "它比上一代更快。"
    assert card.url == "https://source.example/stories/7"


def test_second_source_that_an_item_opens_with_has_a_card_of_its_own() -> None:
    link = Link("https://other.example/same", (Text("同一件事的另一篇报道"),))
    two = replace(item(1, "新模型发布"), body=(Paragraph((link,)), *paragraphs("正文。")))
    _, first, second = edition_cards(edition(two))
    assert (first.title, first.description) == ("1. 新模型发布", "正文。")
    assert (second.title, second.description) == ("1. 同一件事的另一篇报道", "")
    assert second.url == "https://other.example/same"


def test_author_of_the_source_stands_above_the_text() -> None:
    signed = replace(item(1, text="正文。"), author="Ada Lovelace")
    assert item_card(signed, edition()).description == "Ada Lovelace\n正文。"


def test_paragraphs_of_an_item_stay_apart() -> None:
    card = item_card(item(1, text="第一段。\n\n第二段。"), edition())
    assert card.description == "第一段。\n第二段。"


def test_title_that_is_too_long_opens_the_description_in_full() -> None:
    card = item_card(item(1, LONG_TITLE, "正文。"), edition())
    assert card.title.startswith("1. 人工智能公司")
    assert card.title.endswith("…")
    assert card.description == f"{LONG_TITLE}\n正文。"


def test_title_longer_than_a_description_is_cut_with_a_warning() -> None:
    card = item_card(item(4, "长" * 200), edition())
    assert card.warnings == (
        "Item 4: its title is longer than 512 bytes and is shown by its beginning.",
    )


def test_item_without_title_shows_its_address() -> None:
    assert item_card(item(1, ""), edition()).title == "1. https://source.example/stories/1"


def test_item_without_link_opens_the_web_edition() -> None:
    card = item_card(item(1, url=None), edition())
    assert card.url == WEB_URL
    assert card.warnings == ()


def test_item_with_an_endless_link_opens_the_web_edition_with_a_warning() -> None:
    card = item_card(item(2, url="https://source.example/" + "x" * 2048), edition())
    assert card.url == WEB_URL
    assert "Item 2" in card.warnings[0]


def test_commentary_closes_with_its_first_sentence_as_title() -> None:
    closing = edition_cards(
        edition(*stories(2), commentary=paragraphs("大家都很快。", "也都很重。"))
    )[-1]
    assert closing.title == "点评：大家都很快。"
    assert closing.description == "大家都很快。\n也都很重。"
    assert closing.url == WEB_URL


def test_english_edition_has_english_words() -> None:
    closing = edition_cards(edition(language="en", commentary=paragraphs("A busy day.")))[-1]
    assert closing.title == "Commentary: A busy day."


def test_card_that_leads_shows_its_large_picture_and_one_that_follows_the_small_one() -> None:
    card = item_card(item(7), edition())
    assert card.article(leads=True)["picurl"] == f"{WEB_URL}/story-7.png"
    assert card.article(leads=False)["picurl"] == f"{WEB_URL}/tile-7.png"
    assert lead_card(edition()).article(leads=True)["picurl"] == f"{WEB_URL}/card.png"


def test_full_text_card_says_how_much_there_is() -> None:
    card = full_text_card(edition(*stories(12)))
    assert (card.title, card.url) == ("全文 · 12 条新闻", WEB_URL)


@settings(max_examples=40, deadline=None)
@given(title=st.text(max_size=400), text=st.text(max_size=800))
def test_any_item_fits_its_card(title: str, text: str) -> None:
    card = item_card(item(12, title, text), edition())
    validate({"msgtype": "news", "news": {"articles": [card.article(leads=True)]}})


@given(st.text(alphabet="中文 aé👩‍🔬，。", min_size=1, max_size=400))
def test_full_title_is_in_the_card_unless_a_warning_says_otherwise(title: str) -> None:
    card = item_card(item(3, title), edition())
    full = one_line(title)
    shown = full in card.title or card.description.startswith(full)
    assert shown == (utf8_length(full) <= NEWS_DESCRIPTION_BYTES)
    assert shown != bool(card.warnings)
    assert utf8_length(card.title) <= NEWS_TITLE_BYTES
