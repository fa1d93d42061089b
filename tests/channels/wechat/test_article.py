"""The article holds only what an Official Account's editor keeps."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import Edition, RenderError
from channels.wechat.article import render
from channels.wechat.article.limits import CONTENT_CHARACTERS
from channels.wechat.article.pages import article_page, copy_page
from channels.wechat.article.render import Article
from distributor.digest.model import (
    Block,
    Code,
    CodeBlock,
    Emphasis,
    Heading,
    Image,
    LineBreak,
    Link,
    ListBlock,
    Paragraph,
    Quote,
    Rule,
    Strikethrough,
    Strong,
    Table,
    Text,
)
from distributor.templating import Templates

from .editions import TEMPLATES, edition, item, paragraphs, stories

EVERY_KIND: tuple[Block, ...] = (
    Heading(2, (Text("小标题"),)),
    Paragraph(
        (
            Strong((Text("重点"),)),
            Emphasis((Text("强调"),)),
            Strikethrough((Text("旧说"),)),
            LineBreak(),
            Code("x < 1"),
            Image("https://pictures.example/1.png", "示意图"),
            Link("https://more.example/", (Text("详情"),)),
        )
    ),
    Quote(paragraphs("引文")),
    CodeBlock("if a < b:\n    c"),
    ListBlock((paragraphs("甲"), (CodeBlock("乙"), *paragraphs("丙"))), start=3),
    ListBlock((paragraphs("丁", "戊"),)),
    Table((((Text("列一"),), (Text("列二"),)), ((Text("1"),), (Text("2"),)))),
    Rule(),
)
KEPT_TAGS = {"section", "p", "span", "strong", "s", "sup", "br", "img"}
THEMES = ("paper", "ink", "jade")


def article(of: Edition, theme: str = "paper") -> Article:
    return render.article(of, theme)


def elements(html: str) -> list[Element]:
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return [node for node in parser.parseFragment(html).iter() if isinstance(node.tag, str)][1:]


def words(html: str) -> str:
    return "".join(html5lib.parseFragment(html, namespaceHTMLElements=False).itertext())


def long_edition_of(count: int, characters: int) -> tuple[int, str]:
    made = article(edition(*(item(n, f"标题{n}", "字" * characters) for n in range(1, count + 1))))
    return len(made.html), made.html


def test_article_is_a_bare_section_of_tags_that_survive() -> None:
    html = article(edition(*stories(2), intro=EVERY_KIND, commentary=EVERY_KIND)).html
    assert html.startswith("<section ")
    assert html.endswith("</section>")
    assert {node.tag for node in elements(html)} == KEPT_TAGS


def test_only_inline_styles_without_what_the_editor_strips() -> None:
    html = article(edition(*stories(2), intro=EVERY_KIND, commentary=EVERY_KIND)).html
    attributes = {name for node in elements(html) for name in node.attrib}
    styles = ";".join(node.get("style", "") for node in elements(html))
    assert attributes == {"style", "src", "alt"}
    assert not re.search(r"position|float|grid|var\(|url\(", styles)


def test_every_paragraph_has_a_colour() -> None:
    html = article(edition(*stories(2), intro=EVERY_KIND, commentary=EVERY_KIND)).html
    found = [node for node in elements(html) if node.tag == "p"]
    assert all(re.search(r"(?:^|;)color:#", node.get("style", "")) for node in found)


def test_lists_tables_and_code_become_paragraphs_with_their_marks() -> None:
    text = words(article(edition(intro=EVERY_KIND)).html)
    for expected in ("3. 甲", "4.", "• 丁", "列一 · 列二", "if\xa0a\xa0<\xa0b:"):
        assert expected in text


def test_links_become_numbered_footnotes_each_address_once() -> None:
    again = Paragraph((Link("https://source.example/stories/1", (Text("同一处"),)),))
    html = article(edition(item(1, "甲事"), item(2, "乙事"), commentary=(again,))).html
    notes = words(html).partition("参考链接")[2]
    assert notes == (
        "[1] 甲事https://source.example/stories/1[2] 乙事https://source.example/stories/2"
    )
    assert "同一处<sup" in html


def test_stories_have_a_literal_number_and_the_host_of_their_source() -> None:
    text = words(article(edition(item(5, "甲事", url="https://www.source.example/a"))).html)
    assert "5 甲事\u2060[1]source.example" in text


def test_section_names_stand_where_a_section_begins() -> None:
    grouped = [replace(story, section="产业") for story in stories(2)]
    assert words(article(edition(*grouped)).html).count("产业") == 1


def test_nothing_of_the_digest_is_taken_for_markup() -> None:
    evil = '<script>alert("1")</script>'
    story = replace(item(1, evil, evil), section=evil, author=evil)
    shown = edition(story, title=evil, intro=(CodeBlock(evil),), commentary=paragraphs(evil))
    assert "<script" not in article_page(shown, "paper")
    assert words(article(shown).html).count(evil) == 7


def test_article_that_fits_has_no_warnings() -> None:
    assert article(edition(*stories(12))).warnings == ()


def test_long_article_loses_decoration_before_any_text() -> None:
    made = article(edition(*(item(n, f"标题{n}", "字" * 380) for n in range(1, 22))))
    assert made.warnings == ("The article is near 20,000 characters: it is less decorated.",)
    assert words(made.html).count("字" * 380) == 21


def test_longer_article_loses_text_and_says_how_much() -> None:
    made = article(edition(*(item(n, f"标题{n}", "字" * 900) for n in range(1, 31))))
    assert len(made.html) < CONTENT_CHARACTERS
    assert made.warnings[0].startswith("The article is over 20,000 characters: each story is cut")


@settings(max_examples=12, deadline=None)
@given(count=st.integers(1, 45), characters=st.integers(0, 3000))
def test_whatever_is_trimmed_titles_and_links_stay(count: int, characters: int) -> None:
    length, html = long_edition_of(count, characters)
    text = words(html)
    assert length < CONTENT_CHARACTERS
    for number in range(1, count + 1):
        assert f"标题{number}\u2060[" in text
        assert f"https://source.example/stories/{number}" in text


def test_edition_whose_titles_and_links_are_too_long_is_refused() -> None:
    with pytest.raises(RenderError, match="Split the edition"):
        article(edition(*stories(200)))


def test_page_says_why_there_is_no_article() -> None:
    assert "Split the edition" in article_page(edition(*stories(200)), "paper")


def test_page_shows_title_publisher_and_date_above_the_article() -> None:
    text = words(article_page(edition(*stories(1)), "paper"))
    assert "2026.03.02 全球AI新闻速递" in text
    assert "晨间简报　2026 年 3 月 2 日　星期一" in text


def test_page_loads_nothing() -> None:
    page = article_page(edition(*stories(2)), "ink")
    assert not re.search(r"<(?:link|script|img|iframe)|@import|url\(", page)


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_keeps_the_rules_of_the_editor(theme: str) -> None:
    html = article(edition(*stories(2), intro=EVERY_KIND, commentary=EVERY_KIND), theme).html
    assert {node.tag for node in elements(html)} == KEPT_TAGS
    assert not re.search(r"position|float|grid|var\(|url\(", html)


def test_theme_of_the_operators_own_is_used(tmp_path: Path) -> None:
    folder = tmp_path / "wechat" / "themes"
    folder.mkdir(parents=True)
    paper = TEMPLATES.read_bytes("wechat/themes/paper.toml").decode()
    (folder / "dusk.toml").write_text(paper.replace("#0b5fa5", "#123456"))
    shown = replace(edition(*stories(1)), templates=Templates(tmp_path))
    assert "#123456" in article(shown, "dusk").html


def test_theme_that_is_not_there_or_wrong_is_named(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="no theme 'neon'"):
        article(edition(*stories(1)), "neon")
    folder = tmp_path / "wechat" / "themes"
    folder.mkdir(parents=True)
    (folder / "broken.toml").write_text('title = "x"\nink = "black"\n')
    shown = replace(edition(*stories(1)), templates=Templates(tmp_path))
    with pytest.raises(RenderError, match=r"themes/broken.toml: ink"):
        article(shown, "broken")


def test_pictures_are_shown_and_listed_once() -> None:
    shown = article(edition(*stories(1), intro=EVERY_KIND, commentary=EVERY_KIND))
    assert shown.pictures == ("https://pictures.example/1.png",)
    assert shown.html.count('<img src="https://pictures.example/1.png" alt="示意图"') == 2


def test_copy_page_holds_the_article_and_what_goes_beside_it() -> None:
    of = edition(*stories(2))
    page = copy_page(of, "jade")
    assert article(of, "jade").html in page
    assert ">2026.03.02 全球AI新闻速递</span>" in page
    assert f">{of.web_url}</span>" in page


def test_right_to_left_edition_reads_from_the_right() -> None:
    assert ' dir="rtl">' in article(edition(*stories(1), language="ar")).html
