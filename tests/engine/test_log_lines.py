"""What the engine logs names the send, the batch and the delivery; addresses are kept apart."""

from __future__ import annotations

import logging

import pytest

from tests.support.service import Service

READER = "a@readers.example"


def send(shop: Service) -> None:
    """To a reader whom the relay refuses, by name."""
    shop.subscribe("email", READER)
    shop.platforms.misbehave("smtp", "reject", match=READER, code="550", text=f"5.1.1 <{READER}>")
    shop.deliver(shop.start_and_plan())
    return shop


def lines(caplog: pytest.LogCaptureFixture, text: str) -> list[logging.LogRecord]:
    return [record for record in caplog.records if text in record.getMessage()]


def test_a_try_is_logged_with_everything_that_it_is_about(
    shop: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "distributor"):
        send(shop)
    (line,) = lines(caplog, "failed, smtp-550")
    (batch,) = shop.batches(1)
    found = {name: line.__dict__[name] for name in ("send", "batch", "channel", "account")}
    assert found == {"send": 1, "batch": batch.id, "channel": "email", "account": "relay"}
    assert line.__dict__["delivery"] == shop.delivery(1)["id"]
    assert (line.levelname, line.__dict__["address"]) == ("DEBUG", READER)


def test_planning_and_finishing_name_the_send(
    shop: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "distributor"):
        send(shop)
    (planned,), (finished,) = lines(caplog, "planned"), lines(caplog, "finished")
    assert planned.__dict__["send"] == finished.__dict__["send"] == 1


def test_an_account_that_fails_is_said_to_be_paused(
    shop: Service, caplog: pytest.LogCaptureFixture
) -> None:
    shop.subscribe("email", *(f"{number}@readers.example" for number in range(6)))
    shop.platforms.misbehave("smtp", "drop_before")
    shop.deliver(shop.start_and_plan())
    (line,) = lines(caplog, "account relay is paused until")
    assert line.levelname == "WARNING"


def test_a_mail_domain_that_refuses_us_is_said_to_be_paused(
    shop: Service, caplog: pytest.LogCaptureFixture
) -> None:
    shop.subscribe("email", READER)
    shop.platforms.misbehave(
        "smtp", "reject", match=READER, code=550, text="5.7.26 not authenticated", stage="rcpt"
    )
    shop.deliver(shop.start_and_plan())
    (line,) = lines(caplog, "mail to @readers.example by account relay is paused until")
    assert line.levelname == "WARNING"
