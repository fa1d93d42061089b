"""Settings of an SMTP account."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.channels.email.conftest import account_for


def test_bounces_go_to_the_from_address_unless_told_otherwise() -> None:
    assert account_for().envelope_sender == "daily@news.example.org"
    assert account_for(envelope_from="b@example.org").envelope_sender == "b@example.org"


def test_refuses_a_sender_that_is_not_an_address() -> None:
    with pytest.raises(ValidationError, match="is not an email address"):
        account_for(from_address="not an address")


@pytest.mark.parametrize("half", [{"username": "me"}, {"password": "secret"}])
def test_refuses_half_of_the_credentials(half: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="must be given together"):
        account_for(**half)


def test_refuses_credentials_that_smtp_cannot_carry() -> None:
    with pytest.raises(ValidationError, match="must be ASCII"):
        account_for(username="me", password="密码")


def test_hides_the_password_wherever_it_is_shown() -> None:
    account = account_for(username="me", password="correct horse")

    assert "correct horse" not in repr(account) + str(account) + account.model_dump_json()
