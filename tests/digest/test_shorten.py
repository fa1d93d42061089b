"""Texts are cut where a reader would cut them."""

import regex
from hypothesis import given
from hypothesis import strategies as st

from distributor.digest.shorten import ELLIPSIS, one_line, shorten, shorten_title, tidy, utf8_length

PIECES = st.sampled_from(
    [
        "中",
        "文",
        "。",
        "，",
        "！”",
        "word",
        " ",
        ". ",
        "\n",
        "e\u0301",
        "👨‍👩‍👧‍👦",
        "🇨🇳",
        "🇫🇷",
        "한",
        "…",
        "؀",
        "3.5",
    ]
)
TEXTS = st.lists(PIECES, max_size=120).map("".join) | st.text(max_size=300).map(tidy)
LIMITS = st.integers(min_value=3, max_value=300)


@given(TEXTS, LIMITS)
def test_shortened_text_never_exceeds_its_limit(text: str, limit: int) -> None:
    assert utf8_length(shorten(text, limit)) <= limit


@given(TEXTS, LIMITS)
def test_text_within_its_limit_is_untouched(text: str, limit: int) -> None:
    if utf8_length(text) <= limit:
        assert shorten(text, limit) == text


@given(TEXTS, LIMITS)
def test_no_cut_is_inside_a_grapheme(text: str, limit: int) -> None:
    shortened = shorten(text, limit)
    if shortened != text:
        kept = shortened.removesuffix(ELLIPSIS)
        ends = {0, *(grapheme.end() for grapheme in regex.finditer(r"\X", text))}
        assert text.startswith(kept)
        assert len(kept) in ends


@given(st.text(max_size=200))
def test_tidy_text_can_be_encoded_and_stays_as_it_is(text: str) -> None:
    tidied = tidy(text)
    assert tidy(tidied) == tidied
    tidied.encode()


def test_cut_behind_a_sentence_when_one_ends_late_enough() -> None:
    assert shorten("第一句话说完了。第二句话很长很长很长。", 40) == "第一句话说完了。…"


def test_closing_quotation_mark_stays_with_its_sentence() -> None:
    assert shorten("他说：“今天就发布。”然后离开了会场，没有人知道", 42) == "他说：“今天就发布。”…"


def test_cut_before_a_comma_where_no_sentence_ends() -> None:
    assert shorten("前半句在这里，后半句没有尽头没有尽头", 36) == "前半句在这里…"


def test_latin_word_is_not_cut() -> None:
    assert shorten("The committee reconvened yesterday", 28) == "The committee reconvened…"


def test_decimal_point_ends_no_sentence() -> None:
    assert shorten("Version 3.5 arrives", 18) == "Version 3.5…"


def test_title_is_filled_rather_than_cut_at_an_early_comma() -> None:
    assert shorten("发布新的模型，能力全面提升，价格下降", 36) == "发布新的模型…"
    assert shorten_title("发布新的模型，能力全面提升，价格下降", 36) == "发布新的模型，能力全面…"


def test_emoji_of_several_characters_is_kept_whole_or_left_out() -> None:
    assert shorten("一家👨‍👩‍👧‍👦人", 20) == "一家…"


def test_one_line_has_no_line_end_and_no_repeated_space() -> None:
    assert one_line("  上半 \n\n 下半\t尾 ") == "上半 下半 尾"


def test_invisible_controls_are_removed() -> None:
    assert one_line("a\x00b\u202ec\ud800d") == "abcd"
