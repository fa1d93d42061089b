from __future__ import annotations

import time
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distributor.digest.language import detect_language, named_language
from distributor.digest.plain import block_text
from distributor.digest.publishable import reasons_to_hold
from distributor.digest.reader import UnreadableDigest, read, read_file
from distributor.digest.view import as_json

MARKUP = ["*", "**", "[", "](", ")", "http://a.cn", "<b>", "<audio>", "</audio>", "<!--", "-->"]
MARKUP += ["\n", "\n\n", "---", "1. ", "- ", "# ", "> ", "`", "```", "|", "|-|", "    ", "点评"]
MARKUP += ["title: x", "+++", "{", "~~", "中", "。", "“", "a", "\\n", "{{ x }}", "2025.01.02"]

MARKUP += [
    "1、",
    "**1. ",
    "### 1. ",
    "[^1]",
    "[[",
    "<a href='x'>",
    "<ul><li>",
    "{% x %}",
    "{{< y >}}",
]
MARKUP += ["\n- ", "\n1. **", "\n| a | b |\n|--|--|\n| ", "来源：", "目录", "http://b.cn/1 ", "1️⃣"]
BLOCKS = ["# 标题N", "## 节N", "文N", "---", "- [甲N](https://a.cn/N)", "1. 乙N https://b.cn/N"]
BLOCKS += ["### [丙N](https://c.cn/N)\n\n文", "N、[丁N](https://d.cn/N)", "**戊N**\nhttps://e.cn/N"]
BLOCKS += [
    "| a | b |\n|--|--|\n| [己N](https://f.cn/N) | x |",
    "- 来源：https://g.cn/N",
    "### 点评",
]


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_a_digest_or_one_sentence(data: bytes) -> None:
    try:
        digest = read(data, "any.md")
    except UnreadableDigest:
        return
    assert (
        as_json(digest, "any.md", reasons_to_hold(digest), digest.warnings)["revision"]
        == digest.revision
    )


@settings(deadline=None)
@given(st.lists(st.sampled_from(MARKUP) | st.text(max_size=4), max_size=60))
def test_any_markup_gives_a_digest(parts: list[str]) -> None:
    digest = read("".join(parts).encode(errors="replace"), "any.md")

    assert [item.number for item in digest.items] == list(range(1, len(digest.items) + 1))
    as_json(digest, "any.md", reasons_to_hold(digest), digest.warnings)


@settings(deadline=None)
@given(st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=12))
def test_items_keep_the_order_of_the_source_and_invent_no_address(blocks: list[str]) -> None:
    numbered = [block.replace("N", str(n)) for n, block in enumerate(blocks)]
    source = "\n\n".join(numbered)

    digest = read(source.encode(), "any.md")

    urls = [item.url for item in digest.items if item.url]
    places = [source.find(url) for url in urls]
    assert -1 not in places
    assert places == sorted(places)


def test_the_revision_is_the_hash_of_the_bytes() -> None:
    assert read(b"# A", "a.md").revision == sha256(b"# A").hexdigest()


def test_a_heading_on_top_is_the_title_and_is_not_repeated() -> None:
    digest = read("# 日报\n\n正文".encode(), "a.md")

    assert (digest.title, block_text(digest.intro)) == ("日报", "正文")


def test_the_front_matter_title_wins_over_a_heading() -> None:
    digest = read("---\ntitle: 题\n---\n# 另\n\n正文".encode(), "a.md")

    assert (digest.title, block_text(digest.intro)) == ("题", "另\n\n正文")


def test_without_any_heading_the_first_line_is_the_title_with_a_warning() -> None:
    digest = read("今天有三件事。\n\n正文".encode(), "a.md")

    assert digest.title == "今天有三件事。"
    assert [warning.code for warning in digest.warnings] == ["guessed-title"]


LINKS = "\n\n## 文章\n\n- [甲](https://a.cn/1)\n\n## 工具\n\n- [乙](https://a.cn/2)\n"


@pytest.mark.parametrize(
    ("above", "name", "title"),
    [
        ("记录每周看到的技术。", "#54-石头长草.md", "#54 石头长草"),
        ("Welcome to Tool Weekly!", "issue-100.md", "Welcome to Tool Weekly!"),
        (f"Welcome to issue 9! {'More of it. ' * 9}", "index.md", "Welcome to issue 9!"),
        ("# 周刊\n\n导语", "9.md", "周刊"),
    ],
)
def test_a_section_below_the_intro_is_no_title(above: str, name: str, title: str) -> None:
    assert read((above + LINKS).encode(), name).title == title


def test_an_empty_file_is_an_empty_digest() -> None:
    digest = read(b"", "a.md")

    assert (digest.title, digest.intro, digest.items) == ("", (), ())


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("OpenAI 发布了新的模型，开发者可以使用", "zh-CN"),
        ("這是關於機器學習的新聞，我們來看", "zh-TW"),
        ("The school (厦门外国语学校) has opened a new lab for students", "en"),
        ("人工知能の新しいモデルが発表されました", "ja"),
        ("인공지능 소식", "ko"),
        ("أخبار الذكاء الاصطناعي اليوم", "ar"),
        ("חדשות הבינה המלאכותית", "he"),
        ("Новости дня", "ru"),
        ("", "en"),
    ],
)
def test_the_language_is_told_by_the_script(text: str, language: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    ("named", "tag"),
    [("zh", "zh-CN"), ("zh_cn", "zh-CN"), ("EN-us", "en-US"), ("pt-br", "pt-BR"), ('"><b', None)],
)
def test_a_named_language_becomes_a_bcp_47_tag(named: str, tag: str | None) -> None:
    assert named_language(named) == tag


def test_the_named_language_wins_over_the_detected_one() -> None:
    assert read("---\nlang: ja\n---\n新闻".encode(), "a.md").language == "ja"


def test_a_file_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDigest, match=r"none\.md does not exist; check the path"):
        read_file(tmp_path / "none.md")
    with pytest.raises(UnreadableDigest, match="is a directory; name a Markdown file"):
        read_file(tmp_path)


def _cpu_seconds_to_read(text: str) -> float:
    """The best of three, so that what else the machine does weighs less."""
    times = []
    for _ in range(3):
        start = time.process_time()
        read(text.encode(), "big.md")
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        "1.  [**标题**](https://a.cn/1)\n\n    正文，**“重点”**的说明。\n\n",
        "[a](",
        "**中",
        "<audio>\n",
        "<b>",
        "# a\n",
        "**a**\n\n",
        "a_*",
    ],
)
def test_the_time_to_read_grows_with_the_length_and_not_with_its_square(unit: str) -> None:
    short, long = (unit * (size // len(unit)) for size in (2_000, 16_000))

    # Eight times the text: a quadratic reader takes 64 times as long.
    assert _cpu_seconds_to_read(long) < 30 * max(_cpu_seconds_to_read(short), 0.005)
