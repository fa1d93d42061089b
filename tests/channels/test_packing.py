"""Stories are packed whole, or as title and link; nothing is dropped."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from channels.packing import Piece, pack
from distributor.digest.shorten import utf8_length


def test_messages_are_as_full_as_may_be() -> None:
    pieces = [Piece(f"item {n}", "x" * 4, "x") for n in range(5)]
    assert pack(pieces, 10).messages == ("xxxx\n\nxxxx", "xxxx\n\nxxxx", "xxxx")


def test_story_that_is_longer_than_a_message_keeps_title_and_link() -> None:
    packed = pack([Piece("item 1", "x" * 11, "title and")], 10)
    assert packed.messages == ("title and",)
    assert packed.warnings == ("Longer than a message, so only title and link: item 1.",)


def test_prose_that_is_longer_than_a_message_keeps_its_beginning() -> None:
    packed = pack([Piece("commentary", "字" * 9)], 12)
    assert packed.messages == ("字字字…",)
    assert packed.warnings == ("Longer than a message, so only its beginning: commentary.",)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(alphabet="字a，。 ", min_size=1, max_size=40), max_size=20))
def test_every_piece_is_there_in_its_order_and_every_message_fits(texts: list[str]) -> None:
    packed = pack([Piece("item", text, text[:1]) for text in texts], 60, between="|")
    assert all(utf8_length(message) <= 60 for message in packed.messages)
    whole = "|".join(packed.messages)
    expected = [text if utf8_length(text) <= 60 else text[:1] for text in texts]
    assert whole == "|".join(expected)
