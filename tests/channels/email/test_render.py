"""An edition as HTML and as plain text."""

from __future__ import annotations

import dataclasses
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from functools import cache
from typing import Any

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import Edition, RenderError
from channels.email.render import MAX_HTML_BYTES, render
from distributor.digest.model import (
    Block,
    Code,
    CodeBlock,
    Digest,
    Emphasis,
    Heading,
    Image,
    Inline,
    Item,
    LineBreak,
    Link,
    ListBlock,
    Quote,
    Rule,
    Strikethrough,
    Strong,
    Table,
    Text,
)
from distributor.digest.plain import inline_text
from tests.channels.email.conftest import chinese_digest, edition_of, paragraph

XHTML = "{http://www.w3.org/1999/xhtml}"
TEXT_TAGS = {f"{XHTML}{tag}" for tag in ("a", "h1", "h2", "h3", "p")}


def html_of(**changes: Any) -> str:
    page: str = render(edition_of(chinese_digest(**changes))).parts[0].payload["html"]
    return page


def text_of(**changes: Any) -> str:
    text: str = render(edition_of(chinese_digest(**changes))).parts[0].payload["text"]
    return text


def tree_of(page: str) -> ET.Element:
    """`page` as a browser would read it; fails on malformed HTML."""
    tree: ET.Element = html5lib.HTMLParser(strict=True).parse(page)
    return tree


def words_of(page: str) -> str:
    body = tree_of(page).find(f"{XHTML}body")
    assert body is not None
    return "".join(body.itertext())


def links_of(page: str) -> list[str]:
    return [link.attrib["href"] for link in tree_of(page).iter(f"{XHTML}a")]


def long_digest(stories: int, paragraphs: int) -> Digest:
    """An edition whose every story has so many paragraphs."""
    items = tuple(
        dataclasses.replace(
            item,
            body=tuple(paragraph(f"正文 {item.number} " + "长" * 150) for _ in range(paragraphs)),
        )
        for item in chinese_digest(stories).items
    )
    return chinese_digest(items=items)


def prose(*blocks: Block) -> dict[str, Any]:
    return {"items": (), "commentary": (), "intro": blocks}


def inline(*inlines: Inline) -> dict[str, Any]:
    return prose(dataclasses.replace(paragraph(""), children=inlines))


class TestContent:
    @pytest.mark.parametrize("items", [1, 12])
    def test_every_headline_and_link_is_in_both_forms(self, items: int) -> None:
        digest = chinese_digest(items)
        page, text = html_of(items=digest.items), text_of(items=digest.items)

        for item in digest.items:
            headline = f"第 {item.number} 条：SQLite & DuckDB 的 <新> 版本"
            assert headline in words_of(page)
            assert headline in text
            assert item.url in links_of(page)
            assert f"\n{item.url}\n" in text

    def test_the_subject_is_the_title(self, edition: Edition) -> None:
        assert render(edition).parts[0].payload["subject"] == edition.digest.title

    @pytest.mark.parametrize("form", [html_of, text_of])
    def test_intro_commentary_categories_and_publisher_are_there(
        self, form: Callable[[], str]
    ) -> None:
        shown = form()

        for words in ("三件", "工具在变小", "点评", "数据库", "开源日报", "上海市示例路 100 号"):
            assert words in shown

    @pytest.mark.parametrize("form", [html_of, text_of])
    def test_leads_to_the_edition_on_the_web(self, form: Callable[[], str]) -> None:
        assert "https://news.example.org/editions/20261120" in form()

    def test_names_the_source_by_its_host(self) -> None:
        assert ">sqlite.org</a>" in html_of()

    def test_items_stand_under_the_names_of_their_sections(self) -> None:
        items = tuple(
            dataclasses.replace(item, section="实践" if item.number > 1 else "研究")
            for item in chinese_digest().items
        )

        shown = words_of(html_of(items=items, sections=("研究", "实践")))

        order = [shown.index(word) for word in ("研究", "第 1 条", "实践", "第 2 条", "第 3 条")]
        assert order == sorted(order)
        assert shown.count("研究") == shown.count("实践") == 1

    def test_an_item_without_a_link_shows_its_title(self) -> None:
        item = Item(1, (Text("没有链接的消息"),), None, ())

        assert "没有链接的消息" in words_of(html_of(items=(item,)))

    def test_the_preheader_says_what_the_title_does_not(self) -> None:
        shown = words_of(html_of(intro=(paragraph("2026.11.20 开源数据工具日报"),)))

        assert shown.strip().startswith("第 1 条")

    def test_the_same_edition_gives_the_same_rendering(self, edition: Edition) -> None:
        assert render(edition) == render(edition)


class TestBlocks:
    @pytest.mark.parametrize(
        ("node", "markup", "text"),
        [
            (Strong((Text("粗"),)), "<strong>粗</strong>", "粗"),
            (Strikethrough((Text("删"),)), "<s>删</s>", "删"),
            (Code("a < b"), ">a &lt; b</code>", "a < b"),
            (LineBreak(), "<br>", "\n"),
            (Link("https://a.cn/", (Text("链"),)), ">链</a>", "链 <https://a.cn/>"),
            (Link("https://a.cn/", (Text("https://a.cn/"),)), ">https://a.cn/</a>", "a.cn/\n"),
            (
                Image("https://a.cn/x.png", "图"),
                ">[图片: 图]</a>",
                "[图片: 图] <https://a.cn/x.png>",
            ),
        ],
    )
    def test_inline_structure_is_kept(self, node: Inline, markup: str, text: str) -> None:
        content = inline(Text("前"), node)

        assert markup in html_of(**content)
        assert text in text_of(**content)

    @pytest.mark.parametrize(
        ("block", "words", "text"),
        [
            (Heading(2, (Text("小标题"),)), ["小标题"], "## 小标题"),
            (Quote((paragraph("一"), paragraph("二"))), ["一", "二"], "> 一\n>\n> 二"),
            (CodeBlock("if a < b:\n    go()\n"), ["if a < b:"], "    if a < b:\n        go()"),
            (ListBlock(((paragraph("甲"),), (paragraph("乙"),))), ["甲", "乙"], "- 甲\n- 乙"),
            (ListBlock(((paragraph("甲"),),), start=3), ["甲"], "3. 甲"),
            (Table((((Text("名"),), (Text("值"),)),)), ["名", "值"], "名 | 值"),
            (Rule(), [], "* * *"),
        ],
    )
    def test_block_structure_is_kept(self, block: Block, words: list[str], text: str) -> None:
        content = prose(paragraph("前言"), block)

        assert all(word in words_of(html_of(**content)) for word in words)
        assert text in text_of(**content)

    def test_prose_headings_stand_below_the_title(self) -> None:
        page = html_of(**prose(Heading(1, (Text("大"),)), Heading(6, (Text("小"),))))

        assert page.count("<h1") == 1
        assert re.search(r"<h2[^>]*>大</h2>", page)
        assert re.search(r"<h4[^>]*>小</h4>", page)


class TestTables:
    """What a table shows where depends on the words in it."""

    @staticmethod
    def table_of(*rows: tuple[str, ...], has_header: bool = True) -> ET.Element:
        cells = tuple(tuple((Text(word),) for word in row) for row in rows)
        tree = tree_of(html_of(**prose(paragraph("前言"), Table(cells, has_header))))
        (table,) = (one for one in tree.iter(f"{XHTML}table") if "role" not in one.attrib)
        return table

    @pytest.mark.parametrize(
        ("rows", "kind"),
        [
            ((("Name", "Price"), ("alpha", "3 dollars")), "data"),
            ((("模型", "上下文", "价格"), ("甲模型二十万词元很长", "二十万", "三美元")), "data"),
            (
                (("Model", "License", "Released"), ("Sonnet", "proprietary", "2026-11-20")),
                "data wide",
            ),
            ((tuple(f"Responsibilities{n}" for n in range(6)),), "data vast"),
            ((("a",) * 40,), "data vast"),
        ],
    )
    def test_is_of_a_kind_by_the_room_that_its_longest_words_need(
        self, rows: tuple[tuple[str, ...], ...], kind: str
    ) -> None:
        assert self.table_of(*rows).attrib["class"] == kind

    def test_a_value_that_may_be_stacked_has_its_columns_name_before_it(self) -> None:
        table = self.table_of(("Responsibilities", "Internationalization", ""), ("yes", "no", "?"))

        values = ["".join(cell.itertext()) for cell in table.iter(f"{XHTML}td")]
        assert values == ["Responsibilities：yes", "Internationalization：no", "?"]
        for label in table.iter(f"{XHTML}span"):
            assert "display:none" in label.attrib["style"]

    @pytest.mark.parametrize("blank", ["", " ", "\u00a0"])
    def test_a_stacked_value_that_is_empty_has_no_name_and_keeps_its_column(
        self, blank: str
    ) -> None:
        long = "Responsibilities"
        table = self.table_of((long, long, long), ("yes", blank, "no"))

        values = ["".join(cell.itertext()) for cell in table.iter(f"{XHTML}td")]
        assert values == [f"{long}：yes", "", f"{long}：no"]

    def test_a_table_that_is_never_stacked_says_no_name_twice(self) -> None:
        table = self.table_of(("Name", "Price"), ("alpha", "3"))

        assert "".join(table.itertext()).split() == ["NamePricealpha3"]

    def test_rows_may_be_of_any_length(self) -> None:
        long = "Responsibilities"
        table = self.table_of((long, long), (long,), (long, long, "further"), ())

        assert "".join(table.itertext()).endswith("further")

    def test_words_do_not_break_except_in_a_table_that_nothing_holds(self) -> None:
        whole, broken = (
            self.table_of((word, word, word), ("a", "b", "c")).findall(f".//{XHTML}td")[0]
            for word in ("proprietary", "Responsibilities" * 2)
        )

        assert "word-break:normal" in whole.attrib["style"]
        assert "overflow-wrap:anywhere" in broken.attrib["style"]


class TestSafety:
    def test_markup_in_a_digest_is_shown_and_not_obeyed(self) -> None:
        page = html_of(title="<script>alert(1)</script>", categories=("<img src=x>",))

        assert "<script" not in page
        assert "<img" not in page
        assert "<script>alert(1)</script>" in words_of(page)

    @pytest.mark.parametrize(
        "url", ["javascript:alert(1)", "data:text/html,x", "/local", "file:///"]
    )
    def test_only_web_and_mail_addresses_become_links(self, url: str) -> None:
        items = (Item(1, (Text("题"),), url, ()),)
        content = inline(Link(url, (Text("链"),)))

        assert url not in links_of(html_of(items=items)) + links_of(html_of(**content))

    @pytest.mark.parametrize(
        "url",
        [
            "https://例子.中国/路径?查询=值#片段",
            'https://a.example/?q="><script>',
            "https://a.example/a%20b|c{d}[e]?x=%E4%BD%A0&amp=1",
        ],
    )
    def test_a_link_comes_out_exactly_as_it_went_in(self, url: str) -> None:
        assert url in links_of(html_of(items=(Item(1, (Text("题"),), url, ()),)))

    @settings(max_examples=15, deadline=None)
    @given(st.text(max_size=60))
    def test_any_words_come_out_as_well_formed_html(self, text: str) -> None:
        page = html_of(title="题" + text, items=(Item(1, (Text(text),), None, ()),))

        tree_of(page)


class TestForm:
    def test_wording_language_and_direction_follow_the_digest(self) -> None:
        page = html_of(language="ar")

        assert '<html lang="ar" dir="rtl">' in page
        assert "Read in browser" in page
        assert "在浏览器中阅读" in html_of(language="zh-TW")

    def test_our_words_keep_their_own_direction_in_an_edition_of_the_other(self) -> None:
        page = html_of(items=long_digest(stories=40, paragraphs=6).items, language="ar")

        ours = [one for one in tree_of(page).iter() if one.attrib.get("lang") == "en"]
        shown = " ".join("".join(one.itertext()) for one in ours)
        for words in (
            "Read in browser",
            "November",
            "more",
            "Commentary",
            "subscribed",
            "Read all",
        ):
            assert words in shown
        assert {one.attrib.get("dir") for one in ours} == {"ltr"}

    def test_the_footer_is_aligned_as_the_edition_is(self) -> None:
        footer = html_of(language="ar").partition('class="footer')[2]

        assert "text-align:right" in footer.partition(">")[0]

    def test_the_publishers_own_words_in_the_footer_have_theirs(self) -> None:
        footer = html_of().partition('class="footer')[2]

        assert '<span dir="auto">上海市示例路 100 号</span>' in footer

    def test_chinese_is_never_italic(self) -> None:
        emphasis = inline(Emphasis((Text("强调"),)))

        assert "font-style:normal" in html_of(**emphasis)

    def test_layout_tables_are_hidden_from_screen_readers(self) -> None:
        tables = [table.attrib.get("role") for table in tree_of(html_of()).iter(f"{XHTML}table")]

        assert set(tables) == {"presentation"}

    def test_every_cell_with_text_names_chinese_fonts(self) -> None:
        for cell in tree_of(html_of()).iter(f"{XHTML}td"):
            if any(child.tag in TEXT_TAGS for child in cell):
                assert "PingFang SC" in cell.attrib["style"]

    def test_the_dark_and_phone_styles_are_left_for_the_mail_program(self) -> None:
        page = html_of()

        assert page.count("<style") == 2  # ours, and Outlook's in a comment
        assert "@media (prefers-color-scheme: dark)" in page
        assert "#15171b !important" in page
        assert "data-premailer" not in page

    def test_loads_nothing_from_anywhere(self) -> None:
        tree = tree_of(html_of(**inline(Image("https://a.example/x.png", "图"))))

        assert not [node for node in tree.iter() if "src" in node.attrib]
        assert not list(tree.iter(f"{XHTML}link"))

    def test_twenty_items_stay_well_under_the_size_that_gmail_clips(self) -> None:
        rendering = render(edition_of(chinese_digest(20)))

        assert len(rendering.parts[0].payload["html"].encode()) < 45_000
        assert rendering.warnings == ()


class TestLongEditions:
    """What Gmail would cut off is left to the web edition, and the operator is told."""

    @staticmethod
    @cache
    def shortened(digest: Digest) -> tuple[str, str]:
        """The HTML and the one warning of an edition that does not fit."""
        rendering = render(edition_of(digest))
        page: str = rendering.parts[0].payload["html"]
        assert len(page.encode()) <= MAX_HTML_BYTES
        assert "邮件里只放得下一部分" in words_of(page)
        (warning,) = rendering.warnings
        return page, warning

    @staticmethod
    def entries(page: str) -> list[ET.Element]:
        return list(tree_of(page).iter(f"{XHTML}li"))

    #: Numbers 81 to 90 are missing, and the last story's link is none.
    ITEMS = long_digest(stories=130, paragraphs=2).items
    CROWDED = chinese_digest(
        items=(
            *ITEMS[:80],
            *ITEMS[90:-1],
            dataclasses.replace(ITEMS[-1], title=(Text("<b>题"),), url="javascript:alert(1)"),
        )
    )
    #: More titles than fit.
    WORDY = chinese_digest(
        items=tuple(dataclasses.replace(item, title=(Text("长" * 400),)) for item in ITEMS[:100])
    )

    def test_the_last_stories_become_titles_in_a_list(self) -> None:
        page, warning = self.shortened(self.CROWDED)

        found = re.search(r"so (\d+) of 120 stories are titles in a list; a link leads", warning)
        assert found
        listed = int(found[1])
        assert f"另有 {listed} 条" in words_of(page)
        entries = self.entries(page)
        assert ["".join(entry.itertext()) for entry in entries] == [
            inline_text(item.title) for item in self.CROWDED.items[-listed:]
        ]
        assert "工具在变小" in words_of(page)

    def test_each_title_in_the_list_leads_to_its_source(self) -> None:
        entries = self.entries(self.shortened(self.CROWDED)[0])

        links = [entry[0].attrib["href"] for entry in entries[:-1]]
        assert links == [item.url for item in self.CROWDED.items[-len(entries) : -1]]
        assert list(entries[-1]) == []

    def test_stories_are_listed_under_their_own_numbers(self) -> None:
        page, _ = self.shortened(self.CROWDED)

        (numbered,) = tree_of(page).iter(f"{XHTML}ol")
        values = [entry.attrib.get("value") for entry in self.entries(page)]
        assert values[-40:] == [str(number) for number in range(91, 131)]
        assert set(values[:-40]) == {None}
        assert int(numbered.attrib["start"]) + len(values[:-40]) == 81

    def test_a_listed_story_costs_about_a_quarter_of_a_kilobyte(self) -> None:
        rows = re.findall(r"<li.*?</li>", self.shortened(self.CROWDED)[0], re.DOTALL)

        assert sum(len(row.encode()) for row in rows) / len(rows) < 250

    def test_as_many_stories_are_whole_as_fit_beside_the_list(self) -> None:
        page, _ = self.shortened(self.CROWDED)

        whole = words_of(page).count("正文") // 2
        assert whole > 10
        card = re.findall(r'<tr><td class="gap".*?</table>\s*</td></tr>\s*', page, re.DOTALL)[
            whole - 1
        ]
        row = re.findall(r"<li.*?</li>\s*", page, re.DOTALL)[0]
        a_card_more = len(page.encode()) + len(card.encode()) - len(row.encode())
        assert a_card_more > MAX_HTML_BYTES

    def test_more_titles_than_fit_are_left_out_and_counted(self) -> None:
        page, warning = self.shortened(self.WORDY)

        found = re.search(
            r"so (\d+) of 100 stories are titles in a list and (\d+) of 100 stories are left out",
            warning,
        )
        assert found
        listed, left_out = map(int, found.groups())
        assert listed + left_out == 100
        assert len(self.entries(page)) == listed
        assert "共 100 条" in words_of(page)
        assert f"还有 {left_out} 条没有列出" in words_of(page)

    def test_long_prose_ends_early(self) -> None:
        page, warning = self.shortened(
            chinese_digest(intro=tuple(paragraph(f"第 {n} 段" + "长" * 2000) for n in range(40)))
        )

        assert "第 0 段" in words_of(page)
        assert "第 39 段" not in words_of(page)
        assert "the prose ends early" in warning

    def test_the_text_part_has_all_of_it(self) -> None:
        rendering = render(edition_of(long_digest(stories=40, paragraphs=6)))

        assert "正文 40 " in rendering.parts[0].payload["text"]

    def test_without_a_web_edition_nothing_is_cut_and_the_operator_is_told(self) -> None:
        edition = edition_of(long_digest(stories=40, paragraphs=6))

        rendering = render(dataclasses.replace(edition, web_url=""))

        assert "正文 40 " in rendering.parts[0].payload["html"]
        assert "it was not shortened" in rendering.warnings[0]


class TestRefusals:
    def test_an_edition_without_a_title_is_refused(self) -> None:
        with pytest.raises(RenderError, match="no title"):
            html_of(title=" \n")

    def test_an_edition_without_content_is_refused(self) -> None:
        with pytest.raises(RenderError, match="no content"):
            html_of(**prose())
