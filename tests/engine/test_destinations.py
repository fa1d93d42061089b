"""A mail domain that takes nothing for now keeps its own readers waiting, and nobody else."""

from __future__ import annotations

import pytest

from distributor.ledger import breakers
from distributor.ledger.breakers import Breaker
from tests.support.service import Service

#: The first to be tried, and more of them than failures open a breaker.
GREY = [f"reader-{number:02}@grey.example" for number in range(8)]
FINE = [f"reader-{number}@fine.example" for number in range(4)]
ONE_EACH = [f"reader@domain-{number:02}.example" for number in range(12)]


def breaker(shop: Service) -> Breaker | None:
    with shop.ledger.read() as connection:
        return breakers.find(connection, "relay")


def open_breaker(shop: Service, code: str = "smtp-lost") -> None:
    """Let the account rest, until now."""
    with shop.ledger.write() as connection:
        opened = breakers.open_(connection, "relay", code=code, reply=code, at=shop.clock())
    shop.clock.advance_to(opened.open_until)


def refuse(shop: Service, match: str, text: str = "4.7.1 Try later", code: int = 451) -> None:
    shop.platforms.misbehave("smtp", "reject", match=match, code=code, text=text, stage="rcpt")


def begin(shop: Service, *readers: str) -> int:
    shop.subscribe("email", *readers)
    return shop.start_and_plan()


def begin_with_dead_domains_between(shop: Service) -> int:
    """A first pass in which no five domains in a row refuse their readers."""
    readers = []
    for place, reader in enumerate(ONE_EACH):
        refuse(shop, reader[reader.index("@") :], "4.4.1 Connection timed out", 450)
        readers += [reader] if place % 3 else [FINE[place // 3], reader]
    send_id = begin(shop, *readers)
    shop.deliver(send_id)
    assert breaker(shop) is None
    return send_id


def retry(shop: Service, send_id: int) -> None:
    """Work on the send when all of it that waits is due."""
    shop.clock.advance(hours=1)
    shop.deliver(send_id)


def tried(shop: Service, send_id: int) -> int:
    return sum(row["attempts"] for row in shop.deliveries(send_id).values())


def test_its_readers_are_tried_again_each_in_their_own_time_and_others_are_reached(
    shop_on_each: Service,
) -> None:
    shop = shop_on_each
    refuse(shop, "@grey.example")
    send_id = begin(shop, *GREY, *FINE)
    shop.deliver(send_id)

    assert shop.counts(send_id) == {"sent": len(FINE), "retrying": len(GREY)}
    assert breaker(shop) is None


def test_a_probe_that_it_refuses_shows_that_the_relay_works(shop: Service) -> None:
    refuse(shop, "@grey.example")
    send_id = begin(shop, *GREY)
    open_breaker(shop)
    shop.deliver(send_id)

    assert breaker(shop) is None
    assert shop.counts(send_id) == {"retrying": len(GREY)}


def test_a_relay_that_refuses_one_domain_after_the_other_is_left_alone(shop: Service) -> None:
    refuse(shop, "*")
    send_id = begin(shop, *ONE_EACH)
    shop.deliver(send_id)

    assert breaker(shop) is not None
    assert tried(shop, send_id) == 5


def test_while_it_answers_so_one_message_probes(shop: Service) -> None:
    refuse(shop, "*")
    send_id = begin(shop, *ONE_EACH)
    open_breaker(shop, "smtp-451-4.7.1")
    shop.deliver(send_id)

    opened = breaker(shop)
    assert opened is not None
    assert opened.times == 2
    assert tried(shop, send_id) == 1


def test_an_acceptance_in_between_shows_that_the_relay_works(shop: Service) -> None:
    for domain in (address.partition("@")[2] for address in (*ONE_EACH[:4], *ONE_EACH[5:9])):
        refuse(shop, f"@{domain}")
    send_id = begin(shop, *ONE_EACH)
    shop.deliver(send_id)

    assert breaker(shop) is None
    assert shop.counts(send_id) == {"sent": 4, "retrying": 8}


def test_retries_at_one_domain_after_the_other_say_nothing_of_the_relay(shop: Service) -> None:
    """Only those who were refused are left, so no acceptance lies between them."""
    send_id = begin_with_dead_domains_between(shop)
    retry(shop, send_id)

    assert breaker(shop) is None
    assert tried(shop, send_id) == len(FINE) + 2 * len(ONE_EACH)


def test_a_retry_that_its_domain_refuses_is_a_probe_that_shows_that_the_relay_works(
    shop: Service,
) -> None:
    send_id = begin_with_dead_domains_between(shop)
    open_breaker(shop, "smtp-450-4.4.1")
    retry(shop, send_id)

    assert breaker(shop) is None


def test_a_new_send_goes_out_while_readers_at_dead_domains_are_retried(
    shop_on_each: Service,
) -> None:
    shop = shop_on_each
    old = begin_with_dead_domains_between(shop)
    shop.subscribe("email", *GREY, to="second")
    new = shop.start_and_plan(to="second")
    retry(shop, old)
    shop.deliver(new)

    assert shop.counts(new) == {"sent": len(GREY)}


def test_a_relay_that_begins_to_limit_us_shows_it_at_first_tries(shop: Service) -> None:
    old = begin_with_dead_domains_between(shop)
    refuse(shop, "*")
    shop.subscribe("email", *(f"new-{reader}" for reader in ONE_EACH), to="second")
    new = shop.start_and_plan(to="second")
    retry(shop, old)
    shop.deliver(new)

    assert breaker(shop) is not None
    assert tried(shop, new) == 5


@pytest.mark.parametrize("text", ["4.3.1 Insufficient system storage", "4.3.2 Not now"])
def test_a_relay_that_takes_nothing_is_left_alone_whoever_it_is_for(
    shop: Service, text: str
) -> None:
    refuse(shop, "*", text, code=452)
    send_id = begin(shop, *GREY)
    shop.deliver(send_id)

    assert breaker(shop) is not None
    assert tried(shop, send_id) == 5


def test_one_reader_is_not_the_probe_again_and_again(shop: Service) -> None:
    """Of eight, the same one is drawn nine times in a row once in a hundred million times."""
    refuse(shop, GREY[0], "5.7.1 Relay access denied", code=554)
    send_id = begin(shop, *GREY)
    shop.deliver(send_id)
    for _ in range(9):
        if opened := breaker(shop):
            shop.clock.advance_to(opened.open_until)
            shop.deliver(send_id)

    assert "sent" in shop.counts(send_id)
