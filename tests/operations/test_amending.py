"""Correcting a send: what readers see afterwards, and what the log says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from distributor.ledger.database import Ledger
from distributor.ledger.decisions import Selection
from distributor.ledger.states import SendState
from distributor.operations import amending, steering
from distributor.operations import receipt as receipts
from distributor.operations.amending import Amended
from distributor.operations.errors import OperationError
from distributor.operations.steering import Resolution
from tests.support.service import Service, edition, service


@pytest.fixture
def shop(tmp_path: Path, sqlite_ledger: Ledger) -> Iterator[Service]:
    """A service with two chats and a reader of emails."""
    with service(tmp_path, sqlite_ledger) as running:
        running.subscribe("telegram", "@a_channel", "42")
        running.subscribe("email", "reader@example.org")
        yield running


def sent(shop: Service, source: str) -> int:
    send_id = shop.start_and_plan(source)
    shop.deliver(send_id)
    shop.sweep()
    assert shop.send(send_id).state is SendState.FINISHED
    return send_id


def amend(shop: Service, send_id: int, source: str, *, is_sure: bool = False) -> Amended:
    path = shop.write_edition(source)
    return amending.amend(shop.context, send_id, path, operator="kim", is_sure=is_sure)


def texts(shop: Service, chat: str) -> list[str]:
    return [m["text"] for m in shop.platforms.received("telegram") if m["address"] == chat]


def agrees(shop: Service, send_id: int) -> bool:
    """Whether the books are those that the log gives."""
    drawn = receipts.draw_up(shop.context, send_id)
    return drawn.holds and not drawn.differences


def fixed(source: str) -> str:
    return source.replace("第 1 件事", "第一件事")


def test_posts_are_edited_in_place(shop: Service) -> None:
    send_id = sent(shop, edition())
    amended = amend(shop, send_id, fixed(edition()))
    assert amended.messages == {"amended": 2}
    for chat in ("@a_channel", "42"):
        (text,) = texts(shop, chat)
        assert "第一件事" in text
    assert amended.left_as_is == {"email": 1}
    assert amended.is_whole


def test_the_log_says_who_corrected_what_and_the_receipt_agrees(shop: Service) -> None:
    send_id = sent(shop, edition())
    revision = amend(shop, send_id, fixed(edition())).revision
    notes = [entry for entry in shop.log(send_id) if entry.code == "amended"]
    assert [entry.outcome.value for entry in notes] == ["sent", "sent"]
    assert notes[0].reply is not None
    assert notes[0].reply.startswith(f"kim: {revision[:16]}: message ")
    assert agrees(shop, send_id)
    assert shop.counts(send_id) == {"sent": 3}


def test_repeated_it_finds_everything_unchanged(shop: Service) -> None:
    send_id = sent(shop, edition())
    amend(shop, send_id, fixed(edition()))
    assert amend(shop, send_id, fixed(edition())).messages == {"unchanged": 2}
    assert len(shop.platforms.received("telegram")) == 2


def test_a_longer_edition_adds_parts_and_a_shorter_one_withdraws_them(shop: Service) -> None:
    send_id = sent(shop, edition(items=2))
    grown = amend(shop, send_id, edition(items=12, words=400)).messages
    added = grown["added"] // 2
    assert added >= 2
    assert len(texts(shop, "42")) == 1 + added
    assert agrees(shop, send_id)
    shrunk = amend(shop, send_id, edition(items=2)).messages
    assert shrunk == {"amended": 2, "withdrawn": 2 * added}
    assert len(texts(shop, "42")) == 1
    assert agrees(shop, send_id)


def test_who_has_left_gets_corrections_and_nothing_new(shop: Service) -> None:
    send_id = sent(shop, edition(items=2))
    shop.unsubscribe("42", channel="telegram")
    longer = edition(items=12, words=400).replace("第 1 件事", "第一件事")
    assert amend(shop, send_id, longer).is_whole
    assert len(texts(shop, "@a_channel")) > 1
    (text,) = texts(shop, "42")
    assert "第一件事" in text
    assert shop.counts(send_id) == {"sent": 2, "canceled": 1}
    assert agrees(shop, send_id)


def test_a_message_without_an_id_is_reported(shop: Service) -> None:
    shop.platforms.misbehave("telegram", "drop_after", match="42 ", times=1)
    send_id = sent(shop, edition(items=2))
    steering.resolve(shop.context, send_id, Resolution.SENT, Selection(), operator="kim")
    assert amend(shop, send_id, fixed(edition(items=2))).messages == {"amended": 1, "failed": 1}
    assert shop.counts(send_id) == {"sent": 3}
    assert agrees(shop, send_id)


def test_on_postgresql_too(tmp_path: Path, postgres_ledger: Ledger) -> None:
    with service(tmp_path, postgres_ledger) as shop:
        shop.subscribe("telegram", "42")
        send_id = sent(shop, edition(items=2))
        assert amend(shop, send_id, edition(items=6, words=400)).messages["added"] >= 1
        shop.platforms.misbehave("telegram", "reject", code=403, text="Forbidden: kicked")
        assert not amend(shop, send_id, edition(items=12, words=400)).is_whole
        assert shop.counts(send_id) == {"failed": 1}
        assert agrees(shop, send_id)


def test_a_part_that_cannot_be_added_leaves_a_delivery_to_retry(shop: Service) -> None:
    send_id = sent(shop, edition(items=2))
    shop.platforms.misbehave("telegram", "reject", match="42 ", code=403, text="Forbidden: kicked")
    amended = amend(shop, send_id, edition(items=12, words=400))
    assert not amended.is_whole
    assert shop.counts(send_id) == {"sent": 2, "failed": 1}
    assert agrees(shop, send_id)


def test_a_post_that_readers_lost_is_reported_and_the_others_are_corrected(shop: Service) -> None:
    send_id = sent(shop, edition())
    shop.platforms.misbehave(
        "telegram", "reject", match="42 ", code=400, text="Bad Request: message to edit not found"
    )
    amended = amend(shop, send_id, fixed(edition()))
    assert amended.messages == {"amended": 1, "failed": 1}
    assert [e.code for e in shop.log(send_id) if e.outcome.value == "failed"] == [
        "tg-400-not-changeable"
    ]
    assert shop.counts(send_id) == {"sent": 3}


def test_what_is_retried_later_says_the_corrected_words(shop: Service) -> None:
    shop.platforms.misbehave("telegram", "reject", match="42 ", code=400, text="Bad Request: hm")
    send_id = sent(shop, edition())
    shop.platforms.behave()
    assert amend(shop, send_id, fixed(edition())).messages == {"amended": 1}
    steering.retry(shop.context, send_id, Selection(), operator="kim")
    shop.deliver(send_id)
    assert "第一件事" in texts(shop, "42")[0]


def test_a_send_under_way_has_to_be_paused_first(shop: Service) -> None:
    send_id = shop.start_and_plan(edition())
    with pytest.raises(OperationError, match=f"distributor pause {send_id}"):
        amend(shop, send_id, fixed(edition()))


def test_an_edition_that_must_not_go_out_corrects_nothing(shop: Service) -> None:
    send_id = sent(shop, edition())
    with pytest.raises(OperationError, match="must not go out"):
        amend(shop, send_id, "---\ntitle: x\n---\n")


def test_what_was_forced_may_be_corrected(shop: Service) -> None:
    draft = edition().replace("date:", "draft: true\ndate:")
    send_id = shop.start_and_plan(draft, force=("draft",), by="kim")
    shop.deliver(send_id)
    shop.sweep()
    assert amend(shop, send_id, fixed(draft)).messages == {"amended": 2}


def test_an_edition_of_another_day_needs_a_word_more(shop: Service) -> None:
    send_id = sent(shop, edition())
    other = edition().replace("2026-03-02", "2026-03-03")
    with pytest.raises(OperationError, match="--another-day"):
        amend(shop, send_id, other)
    assert amend(shop, send_id, other, is_sure=True).is_whole


def test_there_has_to_be_such_a_send(shop: Service) -> None:
    with pytest.raises(OperationError, match="no send 99"):
        amend(shop, 99, edition())
