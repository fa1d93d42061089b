from __future__ import annotations

import pytest

from distributor.digest.model import Digest, Heading, Rule, Strong, Text
from distributor.digest.plain import block_text, inline_text
from distributor.digest.reader import read


def _read(body: str) -> Digest:
    return read(f"---\ntitle: 日报\ndate: 2025-01-02\n---\n{body}".encode(), "a.md")


def _stories(digest: Digest) -> list[tuple[str, str | None, str]]:
    return [(inline_text(i.title), i.url, block_text(i.body)) for i in digest.items]


TWO = [("甲", "https://a.cn/1", "正文甲"), ("乙", "https://a.cn/2", "正文乙")]


@pytest.mark.parametrize(
    "body",
    [
        "1.  [甲](https://a.cn/1)\n\n    正文甲\n\n2.  [乙](https://a.cn/2)\n\n    正文乙\n",
        "1. [**甲**](https://a.cn/1)\n\n   正文甲\n\n2. **[乙](https://a.cn/2)**\n\n   正文乙\n",
        "1. [甲](https://a.cn/1)\n   正文甲\n2. [乙](https://a.cn/2)\n   正文乙\n",
        "1. [甲](https://a.cn/1)\n\n正文甲\n\n2. [乙](https://a.cn/2)\n\n正文乙\n",
        "- [甲](https://a.cn/1)：正文甲\n- 🔥 [乙](https://a.cn/2)：正文乙\n",
        "1. [甲][a]\n\n   正文甲\n\n2. [乙][b]\n\n   正文乙\n\n"
        "[a]: https://a.cn/1\n[b]: https://a.cn/2\n",
        "### 1. [甲](https://a.cn/1)\n\n正文甲\n\n### 2. [乙](https://a.cn/2)\n\n正文乙\n",
        "## [甲](https://a.cn/1)\n正文甲\n\n---\n\n## [乙](https://a.cn/2)\n正文乙\n",
        "### 1. 甲\n\n正文甲\n\n[阅读原文](https://a.cn/1)\n\n"
        "### 2. 乙\n\n正文乙\n\n来源：[某报](https://a.cn/2)\n",
        "| # | 标题 | 摘要 |\n|---|---|---|\n"
        "| 1 | [甲](https://a.cn/1) | 正文甲 |\n| 2 | [乙](https://a.cn/2) | 正文乙 |\n",
    ],
    ids=[
        "numbered",
        "bold titles",
        "body on the next line",
        "body not indented",
        "bullets with a colon",
        "reference links",
        "linked headings",
        "headings between rules",
        "headings with a source line",
        "table rows",
    ],
)
def test_every_form_gives_the_same_two_stories(body: str) -> None:
    digest = _read(body)

    assert _stories(digest) == TWO
    assert [item.number for item in digest.items] == [1, 2]


def test_a_bold_title_with_a_source_link_is_a_story() -> None:
    (item,) = _read("- **标题**：正文。[来源](https://a.cn/1)").items

    assert (inline_text(item.title), item.url) == ("标题", "https://a.cn/1")
    assert block_text(item.body) == "正文。来源"


@pytest.mark.parametrize(
    ("tail", "author"),
    [
        (" - Peter H. Diamandis, MD", "Peter H. Diamandis, MD"),
        (" - 宝玉 (RT @somebody)", "宝玉 (RT @somebody)"),
        ("（来源：某报）", "某报"),
        (" by Jane Doe", "Jane Doe"),
    ],
)
def test_an_author_after_the_link_is_kept_apart(tail: str, author: str) -> None:
    (item,) = _read(f"1. [标题](https://a.cn/1){tail}\n\n   正文").items

    assert (inline_text(item.title), item.author) == ("标题", author)
    assert block_text(item.body) == "正文"


def test_words_after_the_link_are_the_body_when_there_is_no_other() -> None:
    (item,) = _read("- [标题](https://a.cn/1) - 一句话说明").items

    assert (item.author, block_text(item.body)) == (None, "一句话说明")


def test_a_second_link_below_the_title_belongs_to_the_body() -> None:
    (item,) = _read("1. [甲](https://a.cn/1)\n   [乙](https://a.cn/2)\n\n   正文").items

    assert (inline_text(item.title), block_text(item.body)) == ("甲", "乙\n\n正文")


def test_a_title_that_is_partly_bold_keeps_its_structure() -> None:
    (item,) = _read("1. [**标题**-作者](https://a.cn/1)\n\n   正文").items

    assert item.title == (Strong((Text("标题"),)), Text("-作者"))


def test_an_entry_without_link_among_stories_is_a_story() -> None:
    digest = _read("1. [甲](https://a.cn/1)\n\n   正文\n\n2. 乙\n\n   正文\n")

    assert [item.url for item in digest.items] == ["https://a.cn/1", None]


def test_headings_above_stories_are_sections() -> None:
    digest = _read(
        "导语\n\n## 模型\n\n1. [甲](https://a.cn/1)\n\n   文\n\n"
        "**芯片**\n\n2. [乙](https://a.cn/2)\n\n   文\n"
    )

    assert digest.sections == ("模型", "芯片")
    assert [item.section for item in digest.items] == ["模型", "芯片"]
    assert block_text(digest.intro) == "导语"


ITEM = "导语\n\n---\n\n1. [甲](https://a.cn/1)\n\n   正文\n\n"


@pytest.mark.parametrize(
    "closing",
    [
        "---\n\n### 点评\n\n第一段\n\n第二段",
        "### **点评**\n\n第一段\n\n第二段",
        "---\n\n**点评：**\n\n第一段\n\n第二段",
        "**点评：** 第一段\n\n第二段",
        "---\n\n第一段\n\n第二段",
        "---\n\n### Editor's note\n\n第一段\n\n第二段\n\n---\n",
    ],
)
def test_closing_words_are_commentary_without_their_label(closing: str) -> None:
    digest = _read(ITEM + closing)

    assert block_text(digest.commentary) == "第一段\n\n第二段"
    assert _stories(digest) == [("甲", "https://a.cn/1", "正文")]
    assert block_text(digest.intro) == "导语"


def test_no_closing_words_is_no_commentary() -> None:
    assert _read(ITEM + "---").commentary == ()


def test_links_listed_in_the_closing_words_are_no_stories() -> None:
    digest = _read(ITEM + "---\n\n### 点评\n\n见 [甲](https://a.cn/1)。\n\n1. 其一\n2. 其二\n")

    assert len(digest.items) == 1


def test_prose_is_all_intro_and_no_item_is_invented() -> None:
    digest = _read("## English\n\nText.\n\n---\n\n## 中文\n\n问题\n1. What?\n2. Why?\n")

    assert (digest.items, digest.commentary) == ((), ())
    assert [type(block) for block in digest.intro].count(Heading) == 2
    assert Rule() in digest.intro


def test_a_lead_below_a_section_heading_moves_to_the_intro_with_a_warning() -> None:
    digest = _read(
        "## 模型\n\n- [甲](https://a.cn/1)：文\n\n## 芯片\n\n本节说明\n\n- [乙](https://a.cn/2)：文\n"
    )

    assert block_text(digest.intro) == "本节说明"
    assert [warning.code for warning in digest.warnings] == ["moved-to-intro"]
