"""Settings of an SMTP account."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from channels.email import CHANNEL
from tests.channels.email.conftest import account_for

TOKEN = "c-1e240-mfzwizltoqqhg4tf"


def test_bounces_go_to_the_from_address_unless_told_otherwise() -> None:
    assert account_for().envelope_sender(TOKEN) == "daily@news.example.org"


def test_a_bounce_address_carries_the_token_of_the_delivery() -> None:
    account = account_for(envelope_from="b@example.org")

    assert account.envelope_sender(TOKEN) == f"b+{TOKEN}@example.org"
    assert account.envelope_sender("") == "b@example.org"


def test_a_bounce_address_that_takes_no_token_is_used_as_it_is() -> None:
    assert account_for(envelope_from="b@example.org", verp=False).envelope_sender(TOKEN) == (
        "b@example.org"
    )


def test_a_token_that_would_make_the_local_part_too_long_is_left_out() -> None:
    long = "b" * 50 + "@example.org"

    assert account_for(envelope_from=long).envelope_sender(TOKEN) == long


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("Gmail.com", "reader@gmail.com"),
        ("bücher.example", "reader@bücher.example"),
        ("xn--bcher-kva.example", "reader@bücher.example"),
    ],
)
def test_a_rate_holds_for_its_domain_however_that_is_written(written: str, address: str) -> None:
    account = account_for(domain_max_per_second={written: 2})

    (limit,) = CHANNEL.rate_limits(account, CHANNEL.parse_address(address))
    assert limit.per_second == 2


@pytest.mark.parametrize("written", ["@yahoo.com", "reader@yahoo.com", "yahoo", "a b.example", ""])
def test_refuses_a_rate_for_what_is_no_domain(written: str) -> None:
    with pytest.raises(ValidationError, match="cannot be the domain of an address"):
        account_for(domain_max_per_second={written: 2})


def test_refuses_two_rates_for_the_same_domain() -> None:
    with pytest.raises(ValidationError, match=r"gmail\.com has two rates"):
        account_for(domain_max_per_second={"gmail.com": 2, "Gmail.com": 3})


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


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@pytest.mark.parametrize("half", ["selector", "key"])
def test_refuses_half_of_a_dkim_key(kind: str, half: str) -> None:
    with pytest.raises(ValidationError, match=f"dkim_{kind}_key must be given together"):
        account_for(**{f"dkim_{kind}_{half}": "s1"})


def test_refuses_a_signing_domain_that_dmarc_would_not_count() -> None:
    assert account_for(dkim_domain="example.org").signing_domain == "example.org"
    with pytest.raises(ValidationError, match=r"must be news\.example\.org or a domain above it"):
        account_for(dkim_domain="ample.org")
