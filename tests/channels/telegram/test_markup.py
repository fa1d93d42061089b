from __future__ import annotations

import pytest

from channels.telegram.autolink import WORD_JOINER
from channels.telegram.markup import fragments
from channels.telegram.styled import Fragment, Run, Style
from distributor.digest.model import (
    Block,
    Code,
    CodeBlock,
    Emphasis,
    Heading,
    Image,
    Inline,
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
from tests.channels.telegram.editions import paragraph
from tests.channels.telegram.judge import Message, read

URL = "https://example.com/a?b=1&c=2"


def shown(*blocks: Block, inside_quote: bool = False) -> Message:
    return read("\n\n".join(f.html() for f in fragments(blocks, inside_quote=inside_quote)))


def inline(*nodes: Inline) -> Message:
    return shown(Paragraph(nodes))


def test_characters_of_markup_are_shown_as_they_are() -> None:
    text = "a < b && c > d \"e\" 'f' &nbsp; <b>"
    assert inline(Text(text)).text == text


def test_bold_strike_and_code_are_what_they_are() -> None:
    message = inline(Strong((Text("粗"),)), Strikethrough((Text("删"),)), Code("x < y"), Text("平"))
    assert message.entities == (
        ("Bold", "粗", ""),
        ("Strikethrough", "删", ""),
        ("Code", "x < y", ""),
    )


def test_italics_are_for_scripts_that_have_them() -> None:
    message = inline(Emphasis((Text("word"),)), Text("，"), Emphasis((Text("词语"),)))
    assert message.entities == (("Italic", "word", ""), ("Bold", "词语", ""))


def test_bold_stops_for_code_and_goes_on_after_it() -> None:
    message = inline(Strong((Text("前"), Code("x"), Text("后"))))
    assert message.entities == (("Bold", "前", ""), ("Code", "x", ""), ("Bold", "后", ""))


def test_a_partly_bold_label_is_one_link() -> None:
    message = inline(Link(URL, (Text("甲"), Strong((Text("乙"),)), Code("丙"))))
    assert message.links == [("甲乙丙", URL)]


def test_a_picture_becomes_a_link_with_its_words() -> None:
    assert inline(Image(URL, "图")).links == [("图", URL)]
    assert inline(Image(URL, "")).links == [(URL, URL)]


def test_a_picture_in_a_link_keeps_the_outer_link() -> None:
    assert inline(Link(URL, (Image("https://example.com/i.png", "图"),))).links == [("图", URL)]


@pytest.mark.parametrize("url", ["http://localhost:8080/x", "mailto:desk@example.com"])
def test_an_address_that_telegram_would_lose_is_shown_in_words(url: str) -> None:
    message = inline(Link(url, (Text("这里"),)))
    assert message.links == []
    assert message.text == f"这里 ({url.removeprefix('mailto:')})"


def test_a_hard_break_is_a_new_line() -> None:
    assert inline(Text("一"), LineBreak(), Text("二")).text == "一\n二"


def test_control_characters_are_left_out() -> None:
    assert inline(Text("a\x00b\x1b\x7fc\td")).text == "abc d"


def test_a_heading_is_bold_and_stays_with_what_follows() -> None:
    heading, _ = fragments((Heading(2, (Text("题"),)), paragraph("文")), inside_quote=False)
    assert heading.keep_with_next
    assert read(heading.html()).styled("Bold") == ["题"]


def test_a_rule_stands_between_paragraphs_and_never_at_the_end() -> None:
    assert shown(paragraph("一"), Rule(), paragraph("二"), Rule()).text == "一\n\n· · ·\n\n二"


def test_a_nested_list_becomes_lines() -> None:
    inner = ListBlock(((paragraph("乙"),),))
    message = shown(ListBlock(((paragraph("甲"), inner), (paragraph("丙"),)), start=3))
    assert message.text == "3. 甲\n\u2003◦ 乙\n4. 丙"


def test_a_table_becomes_lines_with_a_bold_header() -> None:
    message = shown(Table((((Text("名"),), (Text("值"),)), ((Text("甲"),), (Text("1"),)))))
    assert message.text == "名 | 值\n甲 | 1"
    assert message.styled("Bold") == ["名", "值"]


def test_a_quotation_is_one() -> None:
    message = shown(Quote((paragraph("一"), paragraph("二"))))
    assert message.styled("BlockQuote") == ["一\n\n二"]


def test_a_quotation_within_a_quotation_is_marked_with_a_bar() -> None:
    message = shown(Quote((paragraph("一"), paragraph("二"))), inside_quote=True)
    assert message.entities == ()
    assert message.text == "┃ 一\n┃ \n┃ 二"


def test_a_code_block_keeps_its_lines_and_language() -> None:
    fragment = fragments((CodeBlock("if a < b:\n    c()\n", "python"),), inside_quote=False)[0]
    assert 'class="language-python"' in fragment.html()
    assert read(fragment.html()).text == "if a < b:\n    c()"


def test_a_language_that_is_no_word_is_left_out() -> None:
    message = shown(CodeBlock("x", '"><b>'))
    assert message.entities == (("Pre", "x", ""),)


@pytest.mark.parametrize(
    "text",
    [
        "用Node.js和Booking.com",
        "推出C.ai",
        "Qwen2.5-VL.zip",
        "README.md 与 app.py",
        "地址 192.168.1.5",
        "联系@openai",
        "输入 /start 开始",
        "连环 a.com和b.com，还有1.2.3.4和c.io/d.e",
    ],
)
def test_telegram_links_nothing_that_is_not_linked(text: str) -> None:
    assert read(inline(Text(text)).text).added == ()
    assert inline(Text(text)).text.replace(WORD_JOINER, "") == text


@pytest.mark.parametrize("text", ["PM2.5 与 3.14", "v2.0发布。下一句", "GPT-4o e.g. 例子"])
def test_dots_that_mislead_nobody_are_left_alone(text: str) -> None:
    assert inline(Text(text)).text == text


def test_the_trap_is_seen_across_styles() -> None:
    assert inline(Strong((Text("Node"),)), Text(".js和"), Strong((Text("C.ai"),))).added == ()


def test_labels_and_code_need_no_guard() -> None:
    message = inline(Link(URL, (Text("Booking.com"),)), Text("，"), Code("app.py"))
    assert message.text == "Booking.com，app.py"


def test_a_written_address_is_linked_without_the_chinese_after_it() -> None:
    message = inline(Text("见https://example.com/a和b，（https://example.com/c）。"))
    assert [url for _, url in message.links] == ["https://example.com/a", "https://example.com/c"]
    assert message.added == ()


def test_a_slice_closes_and_reopens_styles() -> None:
    fragment = Fragment((Run("一二三四", Style.BOLD),), quoted=True)
    halves = [fragment.slice(0, 2).html(), fragment.slice(2, 4).html()]
    assert halves == [
        "<blockquote><b>一二</b></blockquote>",
        "<blockquote><b>三四</b></blockquote>",
    ]
