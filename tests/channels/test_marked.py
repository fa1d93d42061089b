"""A digest in the small Markdown of chat robots, in which nothing of it is markup by accident."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from channels.marked import Dialect, escape, link, paragraphs
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

PLAIN = Dialect()


def said(*blocks: Block, dialect: Dialect = PLAIN) -> list[str]:
    return list(paragraphs(blocks, dialect))


def test_bold_code_and_links_are_kept() -> None:
    inlines = (
        Text("见 "),
        Strong((Text("重点"),)),
        Text("、"),
        Code("__init__(*a)"),
        Text(" 与 "),
        Link("https://e.org/a_(b)", (Text("出处"),)),
        LineBreak(),
        Strikethrough((Emphasis((Text("旧"),)),)),
    )
    assert said(Paragraph(inlines)) == [
        "见 **重点**、`__init__(*a)` 与 [出处](https://e.org/a_%28b%29)\n**旧**"
    ]


def test_platform_without_code_gets_plain_words() -> None:
    assert said(Paragraph((Code("run()"),)), dialect=Dialect(code=False)) == ["run()"]


def test_blocks_become_what_the_platforms_know() -> None:
    blocks = (
        Heading(2, (Text("小标题"),)),
        Quote((Paragraph((Text("引文"),)),)),
        CodeBlock("a\nb"),
        ListBlock(((Paragraph((Text("甲"),)),), (Paragraph((Text("乙"),)),)), start=3),
        Table((((Text("一"),), (Text("二"),)),)),
        Rule(),
        Paragraph((Image("https://e.org/p.png", "示意图"),)),
    )
    assert said(*blocks) == ["**小标题**", "> 引文", "a\nb", "3. 甲\n4. 乙", "一 · 二", "示意图"]


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("<@all> 大家", "＜@all> 大家"),
        ("3 < 5", "3 < 5"),
        ("__init__ 与 snake_case", "＿＿init＿＿ 与 snake_case"),
        ("# 标题", "＃ 标题"),
        ("C# 与 F#", "C# 与 F#"),
        ("> 引用", "＞ 引用"),
        ("- 列表", "－ 列表"),
        ("**粗** [x](y)", "＊＊粗＊＊ ［x］(y)"),
    ],
)
def test_what_could_be_markup_is_replaced_by_its_twin(text: str, safe: str) -> None:
    assert escape(text) == safe


def test_link_stays_on_one_line_and_within_its_brackets() -> None:
    assert link("一\n[二]", "https://e.org/ x)") == "[一 ［二］](https://e.org/%20x%29)"


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="*_`[]()<>#-+~!@a字 \n", max_size=60))
def test_escaped_text_makes_no_markup_but_lists_and_paragraphs(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(escape(text))
    inline = {child.type for token in tokens for child in token.children or ()}
    assert inline <= {"text", "softbreak", "hardbreak", "text_special"}
