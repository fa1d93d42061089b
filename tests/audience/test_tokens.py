from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distributor.audience.delivery_key import DeliveryKey
from distributor.audience.errors import InvalidToken
from distributor.audience.tokens import BounceTokens, UnsubscribeTokens

TOKENS = UnsubscribeTokens("a secret of this installation")
IDS = st.integers(min_value=0, max_value=2**63 - 1)


@given(IDS, IDS)
def test_a_token_says_what_it_was_issued_for(subscriber_id: int, send_id: int) -> None:
    token = TOKENS.issue(subscriber_id, send_id)
    assert TOKENS.read(token) == DeliveryKey(subscriber_id, send_id)


@given(IDS, IDS)
def test_a_token_is_43_characters_that_need_no_escaping_in_a_url(
    subscriber_id: int, send_id: int
) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", TOKENS.issue(subscriber_id, send_id))


@given(st.integers(0, 42), st.sampled_from("AZaz09-_"))
def test_a_token_with_any_character_changed_is_refused(position: int, letter: str) -> None:
    token = TOKENS.issue(7, 9)
    changed = token[:position] + letter + token[position + 1 :]
    if changed != token:
        with pytest.raises(InvalidToken):
            TOKENS.read(changed)


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidToken):
        TOKENS.read(text)


@pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: t + "=", lambda t: t + "A"])
def test_a_token_cut_or_lengthened_is_refused(spoil) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidToken):
        TOKENS.read(spoil(TOKENS.issue(7, 9)))


def test_a_token_of_another_secret_is_refused() -> None:
    with pytest.raises(InvalidToken):
        TOKENS.read(UnsubscribeTokens("a secret of somebody else").issue(7, 9))


def test_the_secret_may_be_text_or_bytes() -> None:
    assert UnsubscribeTokens(b"a secret of this installation").read(TOKENS.issue(7, 9))


def test_a_short_secret_is_refused_without_being_repeated() -> None:
    with pytest.raises(ValueError, match="needs 16 bytes") as refused:
        UnsubscribeTokens("hunter2")
    assert "hunter2" not in str(refused.value)


class TestBounceTokens:
    """What marks an envelope sender, so that a bounce names its delivery."""

    TOKENS = BounceTokens("a secret of this installation")

    @given(st.integers(1, 2**63 - 1), st.integers(1, 2**63 - 1))
    def test_a_token_is_found_again_in_any_address_and_case(self, who: int, send: int) -> None:
        token = self.TOKENS.issue(who, send)

        assert re.fullmatch(r"[0-9a-f]{1,16}-[0-9a-f]{1,16}-[a-z2-7]{16}", token)
        for text in (f"b+{token}@a.example", f"<B+{token.upper()}@A.EXAMPLE>"):
            assert list(self.TOKENS.find(text)) == [DeliveryKey(who, send)]

    @pytest.mark.parametrize("place", [0, 2, -1])
    def test_a_token_with_one_letter_changed_is_none(self, place: int) -> None:
        letters = list(self.TOKENS.issue(7, 9))
        letters[place] = "b" if letters[place] != "b" else "c"

        assert list(self.TOKENS.find("".join(letters))) == []

    def test_a_token_of_another_service_is_none(self) -> None:
        token = BounceTokens("another secret of 32 characters!").issue(7, 9)

        assert list(self.TOKENS.find(token)) == []
