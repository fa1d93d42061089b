"""Lines break where a Chinese typesetter would break them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distributor.pictures.typesetting import balanced_lines, break_lines, narrow_marks, runs

TEXTS = st.text(alphabet="中文字体，。！？、：；（）《》“”…AIgpt 4.5%-", max_size=80)
WIDTHS = st.integers(min_value=6, max_value=40)


def width_of(text: str) -> float:
    """A Chinese character is two wide, all else one."""
    return sum(2 if character >= "\u2e80" else 1 for character in text)


@given(TEXTS, WIDTHS)
def test_nothing_but_spaces_is_lost(text: str, width: int) -> None:
    lines = break_lines(text, width, width_of)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(TEXTS, WIDTHS)
def test_no_line_is_wider_than_the_column(text: str, width: int) -> None:
    assert all(width_of(line) <= width for line in break_lines(text, width, width_of))


def test_no_line_begins_with_a_closing_mark() -> None:
    assert break_lines("今天发布，明天", 8, width_of) == ["今天发", "布，明天"]


def test_no_line_ends_with_an_opening_mark() -> None:
    assert break_lines("他读完《红楼梦》", 8, width_of) == ["他读完", "《红楼", "梦》"]


def test_words_and_versions_stay_whole() -> None:
    assert break_lines("发布OpenAI的GPT-5.1模型", 13, width_of) == ["发布OpenAI的", "GPT-5.1模型"]


def test_word_wider_than_the_column_is_broken() -> None:
    assert break_lines("abcdefghij", 6, width_of) == ["abcdef", "ghij"]


def test_balanced_lines_leave_no_lonely_end() -> None:
    assert break_lines("过去四小时发生了什么", 18, width_of) == ["过去四小时发生了什", "么"]
    assert balanced_lines("过去四小时发生了什么", 18, width_of) == ["过去四小时", "发生了什么"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("全球AI新闻", ["全球", "AI", "新闻"]),
        ("提升4%的", ["提升", "4%", "的"]),
        ("Plain words", ["Plain words"]),
        ("", [""]),
    ],
)
def test_chinese_and_latin_are_set_apart(text: str, expected: list[str]) -> None:
    assert runs(text) == expected


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("Today’s “quiet” releases", 'Today\'s "quiet" releases'),
        ("谷歌发布“红色警报”", "谷歌发布“红色警报”"),
        ("OpenAI’s 新模型叫‘草莓’", "OpenAI's 新模型叫‘草莓’"),
    ],
)
def test_curved_marks_stay_where_the_text_is_chinese(text: str, drawn: str) -> None:
    assert narrow_marks(text) == drawn
