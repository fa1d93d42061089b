"""A message says which delivery it is of, and a bounce brings that back."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from distributor.audience.delivery_key import DeliveryKey, of_message_id

REVISION = "25c11bb4982e3d4a3b5313e4ed54f338a8015f3bfdcdf3323a64a095c19597db"
IDS = st.integers(min_value=1, max_value=2**63 - 1)


@given(subscriber_id=IDS, send_id=IDS)
def test_what_a_message_id_names_is_found(subscriber_id: int, send_id: int) -> None:
    key = DeliveryKey(subscriber_id, send_id)
    assert of_message_id(f"<{key.identity(REVISION)}@news.example.org>") == key


def test_each_revision_makes_another_message() -> None:
    key = DeliveryKey(1, 2)
    assert key.identity(REVISION) != key.identity(REVISION[::-1])


@pytest.mark.parametrize(
    "message_id",
    [
        "",
        "<20261120.1234@mail.example.org>",
        "3-25c11bb4982e3d4a-7@news.example.org",
        "<3-25c11bb4-7@news.example.org>",
        "<3-25c11bb4982e3d4a-7@news.example.org> and more",
        f"<{2**63}-25c11bb4982e3d4a-7@news.example.org>",
        f"<3-25c11bb4982e3d4a-{2**63}@news.example.org>",
        "<0-25c11bb4982e3d4a-7@news.example.org>",
    ],
)
def test_somebody_elses_names_none(message_id: str) -> None:
    assert of_message_id(message_id) is None
