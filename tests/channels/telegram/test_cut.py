from __future__ import annotations

import pytest

from channels.base import RenderError
from channels.telegram.cut import cut
from channels.telegram.styled import Fragment, Run, Style


def pieces(limit: int, *runs: Run | str) -> list[str]:
    fragment = Fragment(tuple(Run(run) if isinstance(run, str) else run for run in runs))
    return [piece.text for piece in cut(fragment, lambda piece: len(piece.text) <= limit)]


def test_what_fits_is_not_cut() -> None:
    assert pieces(4, "一二三四") == ["一二三四"]


def test_a_line_end_is_the_best_place() -> None:
    assert pieces(10, "一二，三四。\n五六。七八，九") == ["一二，三四。", "五六。七八，九"]


def test_a_sentence_end_comes_before_a_clause_end() -> None:
    assert pieces(10, "一二三。四五，六七八，九十") == ["一二三。", "四五，六七八，九十"]


def test_a_closing_quote_stays_with_its_sentence() -> None:
    assert pieces(9, "他说：“一二。”三四五六七") == ["他说：“一二。”", "三四五六七"]


def test_english_sentences_end_at_a_stop_before_a_space() -> None:
    assert pieces(16, "Pay 3.50 now. Then go on.") == ["Pay 3.50 now.", "Then go on."]


def test_words_are_parted_at_spaces_when_nothing_better_is_near() -> None:
    assert pieces(8, "aaaa bbbb cccc") == ["aaaa", "bbbb", "cccc"]


def test_no_line_begins_with_a_closing_mark() -> None:
    assert pieces(4, "一二三四”五六") == ["一二三", "四”五六"]


def test_a_grapheme_is_never_cut() -> None:
    family = "👨‍👩‍👧‍👦"
    assert pieces(10, family * 2) == [family, family]


@pytest.mark.parametrize("run", [Run("七八九十", url="https://e.com"), Run("七八九十", Style.CODE)])
def test_a_label_or_code_span_is_kept_whole(run: Run) -> None:
    assert pieces(6, "一二三四", run) == ["一二三四", "七八九十"]


def test_a_label_longer_than_a_message_is_cut_and_stays_a_link() -> None:
    label = Fragment((Run("一二三四", url="https://e.com"),))
    found = cut(label, lambda piece: len(piece.text) <= 2)
    assert [piece.runs for piece in found] == [
        (Run("一二", url="https://e.com"),),
        (Run("三四", url="https://e.com"),),
    ]


def test_pieces_are_about_even() -> None:
    lengths = [len(piece) for piece in pieces(100, "一二三四五六七八九。" * 21)]
    assert max(lengths) - min(lengths) <= 20


def test_no_room_at_all_is_an_error() -> None:
    with pytest.raises(RenderError, match="leaves no room"):
        pieces(0, "一")
