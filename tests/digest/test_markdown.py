from __future__ import annotations

import pytest

from distributor.digest.model import (
    Code,
    CodeBlock,
    Heading,
    Image,
    Inline,
    LineBreak,
    Link,
    ListBlock,
    Paragraph,
    Quote,
    Strikethrough,
    Strong,
    Table,
    Text,
)
from distributor.digest.plain import block_text
from distributor.digest.reader import read


def _blocks(text: str) -> tuple[object, ...]:
    return read(f"---\ntitle: T\n---\n{text}".encode(), "a.md").intro


def _inlines(text: str) -> tuple[Inline, ...]:
    (paragraph,) = _blocks(text)
    assert isinstance(paragraph, Paragraph)
    return paragraph.children


@pytest.mark.parametrize(
    ("text", "bold"),
    [
        ("关于**“智能体”**的竞赛", "“智能体”"),
        ("**Claude（克劳德）**发布", "Claude（克劳德）"),
        ("名为**“Maestro”**的模型", "“Maestro”"),
        ('名为**"Maestro"**的模型', '"Maestro"'),
        ("结论：**不要等。**然后", "不要等。"),
        ("提升**70%**的效率", "70%"),
        ("이것은 **“인용”**입니다", "“인용”"),
    ],
)
def test_emphasis_beside_cjk_needs_no_spaces(text: str, bold: str) -> None:
    inlines = _inlines(text)

    assert Strong((Text(bold),)) in inlines
    assert "*" not in block_text((Paragraph(inlines),))


def test_two_strong_words_may_touch() -> None:
    assert _inlines("**轰鸣声****狂奔而来**") == (
        Strong((Text("轰鸣声"),)),
        Strong((Text("狂奔而来"),)),
    )


def test_arithmetic_keeps_its_asterisks() -> None:
    assert _inlines("2**10 and 3 * 4") == (Text("2**10 and 3 * 4"),)


def test_inline_forms() -> None:
    assert _inlines("`a*b` ~~old~~ [w](https://a.cn) ![alt](https://a.cn/i.png)") == (
        Code("a*b"),
        Text(" "),
        Strikethrough((Text("old"),)),
        Text(" "),
        Link("https://a.cn", (Text("w"),)),
        Text(" "),
        Image("https://a.cn/i.png", "alt"),
    )


def test_a_line_end_is_a_space_but_nothing_between_chinese_characters() -> None:
    assert _inlines("第一行\n第二行") == (Text("第一行第二行"),)
    assert _inlines("first\nsecond") == (Text("first second"),)
    assert _inlines("한국어\n문장") == (Text("한국어 문장"),)


def test_block_forms() -> None:
    blocks = _blocks("## H\n\n> q\n\n3. a\n4. b\n\n```py\nx\n```\n\n| a |\n|---|\n| b |\n")

    assert blocks == (
        Heading(2, (Text("H"),)),
        Quote((Paragraph((Text("q"),)),)),
        ListBlock(((Paragraph((Text("a"),)),), (Paragraph((Text("b"),)),)), start=3),
        CodeBlock("x\n", "py"),
        Table((((Text("a"),),), ((Text("b"),),))),
    )


def test_a_body_indented_too_far_is_text_and_not_code() -> None:
    assert _blocks("a\n\n        b") == (Paragraph((Text("a"),)), Paragraph((Text("b"),)))


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://[", "x:y"],
)
def test_an_unsafe_address_leaves_the_words_and_a_warning(address: str) -> None:
    digest = read(f"---\ntitle: T\n---\n见 [原文]({address})".encode(), "a.md")

    assert digest.intro == (Paragraph((Text("见 原文"),)),)
    assert [warning.code for warning in digest.warnings] == ["dropped-link"]


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://a.cn/中?q=甲", "https://a.cn/%E4%B8%AD?q=%E7%94%B2"),
        ("https://a.cn/%E4%B8%AD", "https://a.cn/%E4%B8%AD"),
        ("https://中国.cn:8080/", "https://xn--fiqs8s.cn:8080/"),
        ("//a.cn/x", "https://a.cn/x"),
        ("www.a.cn", "https://www.a.cn"),
        ("mailto:a@b.cn", "mailto:a@b.cn"),
    ],
)
def test_addresses_become_absolute_and_encoded(written: str, url: str) -> None:
    assert _inlines(f"[w]({written})") == (Link(url, (Text("w"),)),)


def test_players_and_comments_are_dropped_and_the_text_below_them_is_read() -> None:
    blocks = _blocks(
        '<audio controls>\n<source src="/a.mp3">\n</audio>\n## 中文版\n正文\n<!-- a\n\nb -->\n后文'
    )

    assert block_text(blocks) == "中文版\n\n正文\n\n后文"  # type: ignore[arg-type]


def test_inline_html_leaves_words_but_no_script() -> None:
    assert _inlines("<b>粗</b>一<br>二<script>alert(1)</script>三") == (
        Strong((Text("粗"),)),
        Text("一"),
        LineBreak(),
        Text("二三"),
    )


def test_dropped_html_is_reported_once_with_a_count() -> None:
    (warning,) = read(b"# T\n\n<i>a</i> <i>b</i>", "a.md").warnings[:1]

    assert warning.code == "raw-html"
    assert warning.message == "dropped raw HTML “<i>” (and 1 more)"
