"""Connections are lent to one thread at a time and kept open between batches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from channels import registry
from channels.base import Account, Outcome, Part, Recipient
from distributor.engine.connections import ConnectionPool

RELAY = Account(name="relay", channel="email")
OTHER = Account(name="other", channel="email")


class Wire:
    """A connection that only knows whether it is open."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.open = True

    def deliver(self, part: Part, recipient: Recipient) -> Outcome:
        raise NotImplementedError

    def close(self) -> None:
        self.open = False


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[ConnectionPool]:
    monkeypatch.setattr(
        type(registry.get("email")), "connect", lambda _self, account: Wire(account)
    )
    made = ConnectionPool()
    yield made
    made.close()


def test_a_connection_given_back_is_lent_again(pool: ConnectionPool) -> None:
    with pool.lend(RELAY) as first:
        pass
    with pool.lend(RELAY) as second:
        assert second is first


def test_two_borrowers_have_two_connections(pool: ConnectionPool) -> None:
    with pool.lend(RELAY) as first, pool.lend(RELAY) as second:
        assert first is not second


def test_the_connection_used_last_is_lent_first(pool: ConnectionPool) -> None:
    with pool.lend(RELAY) as outer, pool.lend(RELAY):
        pass
    with pool.lend(RELAY) as again:
        assert again is outer


def test_each_account_has_its_own(pool: ConnectionPool) -> None:
    with pool.lend(RELAY):
        pass
    with pool.lend(OTHER) as wire:
        assert isinstance(wire, Wire)
        assert wire.account is OTHER


def test_a_connection_stays_open_between_two_borrowers(pool: ConnectionPool) -> None:
    with pool.lend(RELAY) as wire:
        pass
    assert isinstance(wire, Wire)
    assert wire.open


def test_a_connection_whose_borrower_raised_is_closed_and_not_lent_again(
    pool: ConnectionPool,
) -> None:
    with pytest.raises(RuntimeError), pool.lend(RELAY) as broken:
        raise RuntimeError
    assert isinstance(broken, Wire)
    assert not broken.open
    with pool.lend(RELAY) as next_one:
        assert next_one is not broken


def test_closing_the_pool_closes_what_is_idle(pool: ConnectionPool) -> None:
    with pool.lend(RELAY) as first, pool.lend(OTHER) as second:
        pass
    pool.close()
    assert isinstance(first, Wire)
    assert isinstance(second, Wire)
    assert not first.open
    assert not second.open
