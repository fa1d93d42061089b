"""What Telegram makes of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distributor.sandbox.telegram_rules import (
    ENTITY_LIMIT,
    TEXT_LIMIT,
    Refusal,
    format_text,
    utf16_slice,
)


def html(text: str) -> list[tuple[str, str]]:
    """Each entity with the words that it covers."""
    formatted = format_text(text, "HTML", limit=TEXT_LIMIT)
    return [(e.kind, utf16_slice(formatted.text, e.offset, e.end)) for e in formatted.entities]


def test_counts_code_points_not_code_units() -> None:
    assert len(format_text("😀" * 4096, limit=TEXT_LIMIT).text) == 4096
    with pytest.raises(Refusal, match="message is too long"):
        format_text("😀" * 4097, limit=TEXT_LIMIT)


def test_counts_after_parsing() -> None:
    text = f'<a href="https://example.org/{"x" * 500}">{"字" * 4096}</a>'
    assert len(format_text(text, "HTML", limit=TEXT_LIMIT).text) == 4096


def test_refuses_raw_text_over_32_kib() -> None:
    with pytest.raises(Refusal, match="text is too long"):
        format_text("<b></b>" * 4700, "HTML", limit=TEXT_LIMIT)


def test_trims_the_edges_and_moves_the_entities_along() -> None:
    formatted = format_text("\n\n 😀 <b>粗</b> \n", "HTML", limit=TEXT_LIMIT)
    assert formatted.text == "😀 粗"
    assert html("\n\n 😀 <b>粗</b> \n") == [("bold", "粗")]


def test_keeps_links_and_quotes_before_bold_when_there_are_too_many() -> None:
    text = "<b>x</b> " * 100 + '<a href="https://example.org/">link</a>'
    kinds = [kind for kind, _ in html(text)]
    assert len(kinds) == ENTITY_LIMIT
    assert kinds.count("text_link") == 1


def test_warns_about_dropped_entities() -> None:
    formatted = format_text("<b>x</b> " * 103, "HTML", limit=TEXT_LIMIT)
    assert formatted.warnings == ("3 of 103 entities were dropped (limit 100)",)


def test_long_addresses_are_too_long_together() -> None:
    link = '<a href="https://example.org/{}">x</a> '
    assert len(html(link.format("y" * 70) * 90)) == 90
    with pytest.raises(Refusal, match="ENTITIES_TOO_LONG"):
        html(link.format("y" * 90) * 90)


def test_drops_what_cannot_be_nested() -> None:
    text = "<code>a <b>b</b></code><blockquote>c <blockquote>d</blockquote></blockquote>"
    assert [kind for kind, _ in html(text)] == ["code", "blockquote"]


def test_makes_links_of_what_looks_like_one_and_warns() -> None:
    formatted = format_text("推出C.ai与Booking.com", limit=TEXT_LIMIT)
    assert {entity.kind for entity in formatted.entities} == {"url"}
    assert "by itself" in formatted.warnings[0]


def test_a_word_joiner_prevents_the_automatic_link() -> None:
    assert format_text("Node.\u2060js", limit=TEXT_LIMIT).entities == ()


def test_finds_hashtags_but_none_in_code() -> None:
    assert html("#AI <code>#not</code>") == [("hashtag", "#AI"), ("code", "#not")]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_escaped_text_comes_back_without_formatting_of_its_own(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    formatted = format_text(escaped, "HTML", limit=TEXT_LIMIT)
    assert {e.kind for e in formatted.entities}.isdisjoint({"bold", "text_link", "blockquote"})


@given(st.lists(st.sampled_from(["<b>", "</b>", "😀", "字", " ", "<blockquote>", "</blockquote>"])))
def test_entities_never_reach_beyond_the_text(pieces: list[str]) -> None:
    try:
        formatted = format_text("".join(pieces), "HTML", limit=TEXT_LIMIT)
    except Refusal:
        return
    size = len(formatted.text.encode("utf-16-le")) // 2
    assert all(0 <= e.offset < e.end <= size for e in formatted.entities)
