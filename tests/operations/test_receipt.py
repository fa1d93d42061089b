"""The receipt: what became of everyone, with reasons and times, checked against the log."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import html5lib
import pytest
import sqlalchemy as sa

from distributor.ledger import retention, tables
from distributor.ledger.database import Ledger
from distributor.ledger.decisions import Selection
from distributor.ledger.states import DeliveryState, SendState
from distributor.operations import receipt, receipt_page, steering
from distributor.operations.errors import OperationError
from distributor.operations.receipt import Receipt
from distributor.operations.steering import Resolution
from tests.support.service import Service, service

READER = "reader@example.org"
OTHER = "other@example.org"


def drawn_up(shop: Service, send_id: int) -> Receipt:
    return receipt.draw_up(shop.context, send_id)


def page(shop: Service, drawn: Receipt) -> str:
    card = shop.settings.publisher_card()
    return receipt_page.render(drawn, shop.context.templates, card)


def finished(shop: Service) -> int:
    """A send that two got, one was refused and one is suppressed."""
    shop.subscribe("email", OTHER, "gone@example.org")
    shop.suppress("gone@example.org")
    text = f"5.1.1 <{OTHER}> no such user"
    shop.platforms.misbehave("smtp", "reject", match=OTHER, code="550", text=text)
    send_id = shop.start_and_plan()
    shop.clock.advance(seconds=5)
    shop.deliver(send_id)
    return send_id


def falsify(shop: Service, send_id: int, state: DeliveryState, becomes: DeliveryState) -> None:
    row = tables.deliveries.c
    with shop.ledger.write() as connection:
        connection.execute(
            sa.update(tables.deliveries)
            .where(row.send_id == send_id, row.state == state)
            .values(state=becomes)
        )


def test_intended_is_the_sum_of_what_became_of_everyone(shop: Service) -> None:
    drawn = drawn_up(shop, finished(shop))
    assert dict(drawn.terms) == {
        DeliveryState.SENT: 2,
        DeliveryState.FAILED: 1,
        DeliveryState.UNKNOWN: 0,
        DeliveryState.SKIPPED: 1,
        DeliveryState.CANCELED: 0,
    }
    assert drawn.books.total.intended == sum(number for _, number in drawn.terms)
    assert drawn.holds
    assert not drawn.is_provisional


def test_json_has_everything_that_a_script_may_check(shop: Service) -> None:
    send_id = finished(shop)
    said: dict[str, Any] = drawn_up(shop, send_id).as_json()
    assert said["digest"] == shop.send(send_id).revision
    assert (said["title"], said["lists"]) == ("2026.03.02 今日新闻", ["readers"])
    assert said["books"]["intended"] == 4
    assert {name: one["sent"] for name, one in said["channels"].items()} == {
        "email": 1,
        "telegram": 1,
    }
    assert said["tries"]["email"] == {
        "number": 2,
        "first_at": "2026-03-02T08:00:05.000+00:00",
        "last_at": "2026-03-02T08:00:05.000+00:00",
    }
    assert said["deadline_at"] == "2026-03-03T04:00:00.000+00:00"
    assert said["check"] == {
        "balanced": True,
        "agrees": True,
        "attempts_dropped_at": None,
        "differences": [],
    }


def test_reasons_are_given_and_name_nobody(shop: Service) -> None:
    failed, skipped = drawn_up(shop, finished(shop)).reasons
    assert (failed.code, failed.number, failed.channel) == ("smtp-550-5.1.1", 1, "email")
    assert "no such user" in failed.reply
    assert OTHER not in failed.reply
    assert (skipped.state, skipped.code) == (DeliveryState.SKIPPED, "suppressed")


def test_what_is_sent_by_somebodys_word_is_told_apart(
    tmp_path: Path, sqlite_ledger: Ledger
) -> None:
    with service(tmp_path, sqlite_ledger, DISTRIBUTOR_ACCOUNTS_RELAY_ON_UNKNOWN="hold") as shop:
        shop.subscribe("email", READER)
        shop.platforms.misbehave("smtp", "drop_after", times=1)
        send_id = shop.start_and_plan()
        shop.deliver(send_id)
        steering.resolve(shop.context, send_id, Resolution.SENT, Selection(), operator="kim")
        drawn = drawn_up(shop, send_id)
    (reason,) = drawn.reasons
    assert (reason.state, reason.code) == (DeliveryState.SENT, "resolved-sent")
    assert reason.reply == "kim: it arrived"
    assert drawn.holds


@pytest.mark.parametrize("state", [SendState.SENDING, SendState.PAUSED, SendState.SCHEDULED])
def test_before_the_end_it_is_provisional(shop: Service, state: SendState) -> None:
    send_id = shop.start_and_plan()
    shop.move(send_id, state)
    assert drawn_up(shop, send_id).is_provisional


def test_a_canceled_send_is_provisional_while_a_message_is_in_flight(shop: Service) -> None:
    send_id = shop.start_and_plan()
    steering.cancel(shop.context, send_id)
    assert not drawn_up(shop, send_id).is_provisional
    falsify(shop, send_id, DeliveryState.CANCELED, DeliveryState.SENDING)
    assert drawn_up(shop, send_id).is_provisional


def test_a_difference_to_the_log_is_shown_by_state(shop: Service) -> None:
    send_id = finished(shop)
    falsify(shop, send_id, DeliveryState.FAILED, DeliveryState.SENT)
    drawn = drawn_up(shop, send_id)
    assert not drawn.holds
    assert [(one.state, one.in_books, one.in_log) for one in drawn.differences] == [
        (DeliveryState.SENT, 2, 1),
        (DeliveryState.FAILED, 0, 1),
    ]


def test_books_that_do_not_add_up_do_not_hold(shop: Service) -> None:
    send_id = finished(shop)
    with shop.ledger.write() as connection:
        connection.execute(sa.update(tables.sends).values(intended=5))
    drawn = drawn_up(shop, send_id)
    assert not drawn.differences
    assert not drawn.holds


def test_a_send_that_is_not_there_is_named(shop: Service) -> None:
    with pytest.raises(OperationError, match="there is no send 99"):
        drawn_up(shop, 99)


def test_the_page_has_the_sum_the_reasons_and_the_hash(shop: Service) -> None:
    send_id = finished(shop)
    text = " ".join(words(page(shop, drawn_up(shop, send_id))))
    assert "4 intended = 2 sent + 1 failed + 0 unknown + 1 skipped + 0 canceled" in text
    assert "smtp-550-5.1.1" in text
    assert shop.send(send_id).revision in text
    assert "every state has the same number" in text


def test_the_page_names_nobody_and_loads_nothing(shop: Service) -> None:
    html = page(shop, drawn_up(shop, finished(shop)))
    for address in (READER, OTHER, "gone@example.org", "@a_channel"):
        assert address not in html
    for loading in ("<script", "<img", '<link rel="stylesheet', "@import", "url("):
        assert loading not in html


def test_the_page_shows_a_difference(shop: Service) -> None:
    send_id = finished(shop)
    falsify(shop, send_id, DeliveryState.FAILED, DeliveryState.SENT)
    text = " ".join(words(page(shop, drawn_up(shop, send_id))))
    assert "do not agree" in text
    assert "email Failed 0 1" in text


def test_the_page_says_that_it_is_provisional(shop: Service) -> None:
    html = page(shop, drawn_up(shop, shop.start_and_plan()))
    assert "Provisional receipt" in html


def test_the_page_is_html_whatever_the_platforms_say(shop: Service) -> None:
    shop.platforms.misbehave("smtp", "reject", code="550", text="5.7.1 <b>no</b> & never")
    send_id = shop.start_and_plan(channels=["email"])
    shop.deliver(send_id)
    html = page(shop, drawn_up(shop, send_id))
    assert "&lt;b&gt;no&lt;/b&gt; &amp; never" in html
    html5lib.HTMLParser(strict=True).parse(html)


def words(html: str) -> list[str]:
    """The text of the page's body, as one reads it."""
    body = html5lib.parse(html, namespaceHTMLElements=False).find("body")
    assert body is not None
    return " ".join(body.itertext()).split()


def test_without_its_attempts_it_says_so_and_the_books_still_hold(shop: Service) -> None:
    send_id = finished(shop)
    before = drawn_up(shop, send_id)
    dropped_at = shop.clock() + timedelta(days=1)
    with shop.ledger.write() as connection:
        retention.drop_some(connection, ended_before=dropped_at, at=dropped_at, limit=10)

    drawn = drawn_up(shop, send_id)

    assert drawn.holds
    assert (drawn.terms, drawn.reasons) == (before.terms, before.reasons)
    said: dict[str, Any] = drawn.as_json()
    assert said["check"]["agrees"] is None
    assert said["check"]["attempts_dropped_at"] == "2026-03-03T08:00:05.000+00:00"
    assert "tries were dropped" in page(shop, drawn)
    assert "Counted once more" not in page(shop, drawn)
