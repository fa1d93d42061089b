"""The forms in which real digests tell their stories, each in as few lines as show it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from distributor.digest.model import Digest
from distributor.digest.plain import block_text, inline_text
from distributor.digest.reader import read


def _read(body: str) -> Digest:
    return read(f"---\ntitle: 日报\ndate: 2025-01-02\n---\n{body}".encode(), "a.md")


def _titles(digest: Digest) -> list[str]:
    return [inline_text(item.title) for item in digest.items]


def _addresses(digest: Digest) -> list[str | None]:
    return [item.url for item in digest.items]


TWO = ["https://a.cn/1", "https://a.cn/2"]


@dataclass(frozen=True)
class Form:
    name: str
    body: str


FORMS = [
    Form("all numbered 1.", "1. [甲](https://a.cn/1)\n1. [乙](https://a.cn/2)\n"),
    Form(
        "numbered paragraphs", "1、[甲](https://a.cn/1)\n\n文\n\n2、[乙](https://a.cn/2)（英文）\n"
    ),
    Form(
        "bold numbered paragraphs",
        "**1. 甲**\n\n文[来源](https://a.cn/1)\n\n**2. 乙**\n\n文[来源](https://a.cn/2)\n",
    ),
    Form("link at the end", "- 甲。[消息来源](https://a.cn/1)\n- 乙。[消息来源](https://a.cn/2)\n"),
    Form("link on the next line", "1. 甲\n   <https://a.cn/1>\n2. 乙\n   <https://a.cn/2>\n"),
    Form("bare addresses", "1. 甲 https://a.cn/1\n2. 乙：https://a.cn/2，\n"),
    Form("link inside a sentence", "* 甲 [发布](https://a.cn/1) 了\n* 乙 [更新](https://a.cn/2)\n"),
    Form(
        "tags before the title",
        "- **[产品]** [甲](https://a.cn/1) - 文\n- 【开源】[乙](https://a.cn/2) - 文\n",
    ),
    Form(
        "nested below sources",
        "- 微博\n  - [甲](https://a.cn/1)\n- 知乎\n  - [乙](https://a.cn/2)\n",
    ),
    Form(
        "fields below a title",
        "### 甲\n\n- **来源**：[某报](https://a.cn/1)\n- **时间**：今天\n\n"
        "### 乙\n\n- **来源**：[某报](https://a.cn/2)\n- **时间**：今天\n",
    ),
    Form(
        "title and address line",
        "## 甲\nhttps://a.cn/1\n\n文\n\n## 乙\nhttps://a.cn/2\n\n文\n",
    ),
    Form(
        "labelled source line",
        "### 1. 甲\n\n**原文：** https://a.cn/1\n\n文\n\n### 2. 乙\n\n**原文：** https://a.cn/2\n\n文\n",
    ),
    Form(
        "keycaps",
        "### 1️⃣ 甲\n\n文\n\n🔗 https://a.cn/1\n\n### 2️⃣ 乙\n\n文\n\n🔗 https://a.cn/2\n",
    ),
    Form(
        "anchors",
        "### 1. 甲 {#one}\n\n文 [见](https://a.cn/1)\n\n### 2. 乙 {#two}\n\n文 [见](https://a.cn/2)\n",
    ),
    Form(
        "bold line, address, words",
        "**甲**\nhttps://a.cn/1\n文\n\n**乙**\nhttps://a.cn/2\n文\n",
    ),
    Form(
        "bold beginnings with their sources below",
        "## 节\n\n**甲** — 文\n\n**识别二维码查看原文**\n\nhttps://a.cn/1\n\n某人\n\n"
        "**乙** — 文\n\n**识别二维码查看原文**\n\nhttps://a.cn/2\n",
    ),
    Form(
        "titles whose body ends with a link",
        "## 要闻\n\n### 甲\n\n文。[阅读全文](https://a.cn/1)\n\n### 乙\n\n文。（[来源](https://a.cn/2)）\n",
    ),
    Form(
        "source and date in one line",
        "## 甲\n\n> 来源：[某报](https://a.cn/1) | 时间：今天\n\n"
        "## 乙\n\n> 来源：[某报](https://a.cn/2) | 时间：今天\n",
    ),
    Form(
        "bold numbered lines with an address",
        "**1. 甲**\n文\n🔗 https://a.cn/1\n\n**2. 乙**\n文\n🔗 https://a.cn/2\n",
    ),
    Form(
        "names of products that look like hosts",
        "- [甲.js](https://a.cn/1) - 文\n- **📐** [**乙.dev**](https://a.cn/2), 文\n",
    ),
    Form(
        "lines broken by two backslashes",
        "[甲](https://a.cn/1) \\\\\na.cn\n\n[乙](https://a.cn/2) \\\\\na.cn\n",
    ),
    Form(
        "long numbered lines in bold, with rules between",
        f"### 节\n\n**1. 甲{'长' * 70}。**\n\n文\n\n来源: [某报](https://a.cn/1)\n\n---\n\n"
        "**2. 乙。**\n\n文\n\n来源: [某报](https://a.cn/2)\n\n---\n",
    ),
    Form(
        "bold lines and addresses in one paragraph, below sections",
        "## 节一\n\n**甲**\n<https://a.cn/1>\n文\n\n## 节二\n\n**乙**\n<https://a.cn/2>\n文\n",
    ),
    Form(
        "addresses with a list about them",
        "## 节\n\n- https://a.cn/1\n  - 甲是工具\n  - 快\n\n## 二\n\n- https://a.cn/2\n  - 乙\n",
    ),
    Form(
        "numbered titles above fields in bold",
        "## 1. 甲\n\n**状态：已发布｜日期：今天**\n\n**来源：**[论文](https://a.cn/1)\n\n---\n\n"
        "## 2. 乙\n\n**状态：已发布｜日期：今天**\n\n**来源：**[论文](https://a.cn/2)\n\n---\n",
    ),
    Form(
        "links after tags of a language and before a slash",
        "[DE] [甲](https://a.cn/1) / 文\n\n[EN] [乙](https://a.cn/2) / 文\n",
    ),
    Form(
        "rows below others that are empty",
        "|链接|文|\n|--|--|\n|[甲](https://a.cn/1)|文|\n|[.]()||\n|[乙](https://a.cn/2)|文|\n|[.]()||\n",
    ),
    Form(
        "titles with their sources listed below a label",
        "### 甲\n文\n\n**Key Points:**\n- 一\n\n**Sources:**\n- [某报](https://a.cn/1)\n"
        "- [别报](https://a.cn/3)\n\n### 乙\n文\n\n**Sources:**\n- [某报](https://a.cn/2)\n",
    ),
    Form(
        "fields whose link says to read on",
        "### 甲\n- **요약:** 文\n- [출처 원문 보기](https://a.cn/1)\n\n"
        "### 乙\n- **요약:** 文\n- [기사 전체 보기](https://a.cn/2)\n",
    ),
    Form(
        "a source line above a list that is the body",
        "## 节\n\n### 甲\n\n[a.cn/1](https://a.cn/1)\n\n- [子](https://a.cn/3)\n\n"
        "### 乙\n\n[a.cn/2](https://a.cn/2)\n\n文\n",
    ),
    Form(
        "paragraphs from a title in bold to a link to read on",
        "## 节\n\n🚀 **甲** – 文。[阅读原文](https://a.cn/1)\n\n🔥 **乙**：文 [GitHub](https://a.cn/2)\n",
    ),
    Form(
        "numbered entries whose bodies have lost their indentation",
        "1. 甲\n\n文\n\n链接：https://a.cn/1\n\n2. 乙\n\n文\n\n链接：https://a.cn/2\n",
    ),
    Form("task list", "- [ ] [甲](https://a.cn/1)\n- [x] [乙](https://a.cn/2) 已读\n"),
    Form(
        "titles with underlines",
        "[甲](https://a.cn/1)\n------\n\n文\n\n[乙](https://a.cn/2)\n------\n\n文\n",
    ),
    Form("lines with bullets", "• [甲](https://a.cn/1)\n• [乙](https://a.cn/2)\n"),
    Form(
        "rows with a paper",
        "|日期|题目|PDF|\n|--|--|--|\n"
        "|2024-01-01|**甲**|[2401.00001](https://a.cn/1)|\n"
        "|2024-01-02|**乙**|[2401.00002](https://a.cn/2)|\n",
    ),
    Form(
        "raw HTML list",
        '<ul>\n<li><a href="https://a.cn/1">甲</a> 文</li>\n'
        "<li><a target=_blank href='https://a.cn/2'>乙</a></li>\n</ul>\n",
    ),
    Form(
        "below an intro in a component",
        '<Intro image="x.png" items={[1, 2]}>\n导语\n</Intro>\n\n'
        "- [甲](https://a.cn/1)\n- [乙](https://a.cn/2)\n\n{{< subscribe >}}\n",
    ),
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_form_tells_two_stories(form: Form) -> None:
    digest = _read(form.body)

    assert _titles(digest)[0].strip("：。").startswith("甲")
    assert _addresses(digest) == TWO


def test_words_beside_a_generic_link_are_the_title() -> None:
    (item, _) = _read(
        "- 甲发布了新品。 [消息来源](https://a.cn/1)\n- 乙。 [Link](https://a.cn/2)"
    ).items

    assert inline_text(item.title) == "甲发布了新品。"


def test_the_name_of_a_host_is_a_source_and_the_page_of_a_site_is_a_story() -> None:
    host, site = _read("- 甲 [b.cn](https://b.cn/1)\n- [b.cn](https://b.cn/)：乙\n").items

    assert (inline_text(host.title), host.url) == ("甲", "https://b.cn/1")
    assert (inline_text(site.title), site.url) == ("b.cn", "https://b.cn/")


def test_other_links_of_a_title_are_kept_below_it() -> None:
    (item,) = _read("- 两个 [补丁](https://a.cn/1) 和 [另一个](https://a.cn/2)").items

    assert inline_text(item.title) == "两个 补丁 和 另一个"
    assert (item.url, block_text(item.body)) == ("https://a.cn/1", "另一个")


def test_the_source_that_stories_are_listed_under_is_their_section() -> None:
    digest = _read("- 微博\n  - [甲](https://a.cn/1)\n- 知乎\n  - [乙](https://a.cn/2)\n")

    assert [item.section for item in digest.items] == ["微博", "知乎"]


READ_ON = """元記事を読む,もっと詳しく,Read full story →,View on GitHub,Leer más,Ver noticia
Zum Artikel,Lire l’article,Читать полностью,Leia mais,더보기"""


@pytest.mark.parametrize("words", re.split(r"[,\n]", READ_ON))
def test_a_link_that_only_says_to_read_on_is_no_title(words: str) -> None:
    (item, _) = _read(f"- 甲 [{words}](https://a.cn/1)\n- 乙 [↗](https://a.cn/2)\n").items

    assert (inline_text(item.title), item.url) == ("甲", "https://a.cn/1")


def test_brackets_inside_a_title_stay() -> None:
    assert _titles(_read("- [FLUX.1 [dev]](https://a.cn/1) 发布")) == ["FLUX.1 [dev]"]


def test_brackets_without_an_address_are_no_link() -> None:
    assert _read("今天看 [📝 知乎] 上的讨论。").items == ()


@pytest.mark.parametrize(
    "body",
    [
        "[甲](https://a.cn/1) 今天发布了 [新版](https://a.cn/2)，引起热议。\n\n"
        "乙则 [表示](https://a.cn/3) 不急。",
        "## 中文版\n\n今天我们去看长龙。\n\n---\n听力问题\n1. 多长？\n   How long?\n2. 多大？\n",
        "```\n1. [甲](https://a.cn/1)\n```",
        "<!--\n1. [甲](https://a.cn/1)\n\n2. [乙](https://a.cn/2)\n-->\n\n正文",
        "{% comment %}\n- [甲](https://a.cn/1)\n{% endcomment %}\n正文",
        "- [第一节](#one)\n- [第二节](#two)\n\n正文",
        "## 订阅\n\n- [邮件](https://a.cn/mail)\n- [微信](https://a.cn/wx)\n",
    ],
    ids=["prose", "quiz", "code", "comment", "Liquid comment", "table of contents", "subscribe"],
)
def test_what_only_looks_like_stories_is_none(body: str) -> None:
    assert _read(body).items == ()


CONTENTS = "1. [甲](https://a.cn/1)\n2. [乙](https://a.cn/2)\n3. [丙](https://a.cn/3)\n\n---\n\n"
BODIES = "".join(f"### [{t}](https://a.cn/{n})\n\n文\n\n" for n, t in enumerate("甲乙丙", 1))


def test_a_table_of_contents_is_no_second_set_of_stories() -> None:
    digest = _read(CONTENTS + BODIES)

    assert _titles(digest) == ["甲", "乙", "丙"]
    assert [block_text(item.body) for item in digest.items] == ["文", "文", "文"]
    assert [w.code for w in digest.warnings] == ["summary"]


def test_highlights_that_repeat_some_stories_stay_in_the_intro() -> None:
    digest = _read(
        "- 甲 [↗](https://a.cn/1)\n- 丙 [↗](https://a.cn/3)\n\n---\n\n" + BODIES,
    )

    assert _titles(digest) == ["甲", "乙", "丙"]
    assert "甲" in block_text(digest.intro)


def test_an_item_that_stands_twice_is_sent_once_where_it_says_more() -> None:
    digest = _read(
        "1. [甲](https://a.cn/1)\n2. [乙](https://a.cn/2)\n3. [甲](https://a.cn/1)\n\n   详情\n"
    )

    assert _titles(digest) == ["乙", "甲"]
    assert [w.code for w in digest.warnings] == ["repeated-item"]


def test_one_page_may_be_the_source_of_several_stories() -> None:
    assert len(_read("- [甲](https://a.cn/1)\n- [乙](https://a.cn/1)").items) == 2


def test_numbered_headings_above_lists_are_sections() -> None:
    digest = _read(
        "## 1. 模型\n\n- 甲。[来源](https://a.cn/1)\n- 乙。[来源](https://a.cn/2)\n\n"
        "## 2. 芯片\n\n- 丙。[来源](https://a.cn/3)\n- 丁。[来源](https://a.cn/4)\n"
    )

    assert digest.sections == ("1. 模型", "2. 芯片")
    assert len(digest.items) == 4


def test_headings_above_closed_paragraphs_are_sections_even_where_one_stands_alone() -> None:
    digest = _read(
        "Hola.\n\n## Noticias\n\n"
        "**Sale Django 5.0** — Trae campos calculados. [Leer más](https://a.example/1)\n\n"
        "**PostgreSQL 16.2** — Corrige fallos. [Leer más](https://a.example/2)\n\n"
        "## Pódcast\n\n"
        "**Charla con Guido** — Una hora sobre el GIL. [Escuchar](https://a.example/3)\n\n"
        "## Despedida\n\nHasta luego. [Blog](https://b.example/blog)\n"
    )

    assert _titles(digest) == ["Sale Django 5.0", "PostgreSQL 16.2", "Charla con Guido"]


def test_numbered_headings_above_prose_are_stories() -> None:
    digest = _read("## 1. 甲\n\n文 [见](https://a.cn/1)\n\n## 2. 乙\n\n文\n")

    assert _titles(digest) == ["甲", "乙"]


def test_a_title_above_prose_between_others_with_sources_is_a_story() -> None:
    digest = _read(
        "## 甲\n\n文\n\n<https://a.cn/1>\n\n## 乙\n\n文，见 [某处](https://a.cn/3) 等\n\n"
        "## 丙\n\n文\n\n<https://a.cn/2>\n\n## 后话\n\n再会。\n"
    )

    assert _titles(digest) == ["甲", "乙", "丙"]
    assert "再会" in block_text(digest.commentary)


SHORT_PIECES = (
    "## 节一\n\n### 甲\n\n文 [某处](https://a.cn/1) 文\n\n### 乙\n\n文\n\n"
    "## 节二\n\n### 丙\n\n文 [某处](https://a.cn/2) 文\n\n### 丁\n\n文\n"
)


def test_short_pieces_in_sections_are_stories() -> None:
    digest = _read(SHORT_PIECES)

    assert _titles(digest) == ["甲", "乙", "丙", "丁"]
    assert digest.sections == ("节一", "节二")


@pytest.mark.parametrize(
    "essay",
    [SHORT_PIECES.replace("文", "文\n\n文\n\n文"), SHORT_PIECES.replace("## 节二\n\n#", "")],
    ids=["long pieces", "one section"],
)
def test_an_essay_with_titles_tells_no_stories(essay: str) -> None:
    assert _read(essay).items == ()


def test_a_table_that_lays_out_blocks_tells_its_stories() -> None:
    row = (
        '\t\t<tr>\n\t\t\t<td>\n    <div>\n      <a href="https://a.cn/{0}">\n'
        "        <span>标题{0}</span>\n      </a>\n\t\t\t<p>文</p>\n    </div>\n"
        "\t\t\t</td>\n\t\t</tr>\n"
    )
    digest = _read(f"<table>\n<tbody>\n{row.format(1)}{row.format(2)}</tbody>\n</table>\n")

    assert (_titles(digest), _addresses(digest)) == (["标题1", "标题2"], TWO)


def test_a_list_below_a_numbered_paragraph_is_its_body() -> None:
    digest = _read(
        "1、[甲](https://a.cn/1)：支持\n- [子一](https://a.cn/3)\n\n2、[乙](https://a.cn/2)\n"
    )

    assert _titles(digest) == ["甲", "乙"]


def test_a_numbered_list_in_the_closing_words_is_no_list_of_stories() -> None:
    digest = _read("- [甲](https://a.cn/1)\n\n## 我的观点\n\n### 1. 一\n\n想\n\n### 2. 二\n\n想\n")

    assert _titles(digest) == ["甲"]
    assert "二" in block_text(digest.commentary)


def test_stories_without_any_link_are_read_when_they_are_the_post() -> None:
    digest = _read("1. **甲**：文\n2. **乙**：文\n3. **丙**：文\n")

    assert _titles(digest) == ["甲", "乙", "丙"]
    assert _addresses(digest) == [None, None, None]


@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_numbered_lines_without_links_are_read_when_they_are_the_post(gap: str) -> None:
    digest = _read(
        f"3月1日，星期五{gap}1、2023年的事；{gap}2、乙；{gap}3、31省份的事。{gap}【微语】再会。\n"
    )

    assert _titles(digest) == ["2023年的事；", "乙；", "31省份的事。"]
    assert "星期五" in block_text(digest.intro)


def test_relative_addresses_belong_to_the_site_that_is_configured() -> None:
    source = b"# T\n\n- [a b](/posts/1)\n- [c d](../x.html)\n- [e f](https://b.cn/)\n"

    with_base = read(source, "a.md", "https://me.org/blog/")
    without = read(source, "a.md")

    assert _addresses(with_base) == [
        "https://me.org/posts/1",
        "https://me.org/x.html",
        "https://b.cn/",
    ]
    assert _addresses(without) == [None, None, "https://b.cn/"]
    assert [w.code for w in without.warnings] == ["relative-link"]


def test_who_recommends_a_story_is_not_its_source() -> None:
    digest = _read(
        "[@甲](https://a.cn/me)：[新闻一](https://a.cn/1)\n\n文\n\n"
        "[@乙](https://a.cn/you)：[新闻二](https://a.cn/2)\n"
    )

    assert _addresses(digest) == TWO


def test_a_linked_heading_above_others_is_a_section() -> None:
    digest = _read("## [二月](https://a.cn/feb)\n\n### 工具\n\n- [甲](https://a.cn/1)\n")

    assert _addresses(digest) == ["https://a.cn/1"]


def test_a_reference_that_another_file_defines_leaves_the_story() -> None:
    digest = _read("- [甲的补丁][] 修复了问题\n- [乙](https://a.cn/2)\n")

    assert _titles(digest) == ["甲的补丁", "乙"]


def test_sponsors_are_no_stories() -> None:
    digest = _read(
        "## 💸 Sponsor\n\n- [买](https://a.cn/ad)\n\n## 新闻\n\n- [甲](https://a.cn/1)\n"
    )

    assert _titles(digest) == ["甲"]


def test_a_language_from_right_to_left_reads_the_same() -> None:
    digest = _read("1. [חדשות](https://a.cn/1) - הסבר\n2. [عنوان](https://a.cn/2)\n")

    assert _titles(digest) == ["חדשות", "عنوان"]


def test_a_list_of_nothing_but_marks_is_no_story() -> None:
    assert _read("1. **2.**\n1. **3.**\n1. **4.**\n").items == ()
