"""Logs of the long-running programs: ids, no secrets, and no addresses unless asked for."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import pytest
import telegram.error
import telegram.request
from hypothesis import given
from hypothesis import strategies as st

from distributor import logs, settings

PASSWORD = "correct-horse-battery"
ABOUT = {"send": 12, "batch": 40, "delivery": 123456789, "channel": "email", "account": "relay"}


def formatter(**log: str) -> logging.Formatter:
    environ = {f"DISTRIBUTOR_LOG_{key.upper()}": value for key, value in log.items()}
    secrets = {
        "DISTRIBUTOR_ACCOUNTS_RELAY_PASSWORD": PASSWORD,
        "DISTRIBUTOR_ACCOUNTS_RELAY_USERNAME": "digest",
        "DISTRIBUTOR_DATABASE_URL": "postgresql://writer:fjord-lake@db.internal/ledger",
    }
    return logs.formatter(settings.load(environ={**environ, **secrets}))


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord(
        "distributor.engine", logging.WARNING, __file__, 1, message, arguments, None
    )
    made.__dict__.update(extra)
    return made


def raised(error: Exception) -> tuple[type[Exception], Exception, TracebackType | None]:
    return type(error), error, error.__traceback__


def as_json(made: logging.LogRecord, **log: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(formatter(format="json", **log).format(made))
    return said


def test_a_json_line_has_time_level_logger_message_and_ids() -> None:
    said = as_json(record("%s is late", "it", **ABOUT))
    assert said.pop("time").endswith("+00:00")
    assert said == {
        "level": "warning",
        "logger": "distributor.engine",
        "message": "it is late",
        **ABOUT,
    }


def test_a_text_line_has_them_too() -> None:
    line = formatter().format(record("late", **ABOUT))
    assert line.endswith(
        "WARNING distributor.engine: late"
        " send=12 batch=40 delivery=123456789 channel=email account=relay"
    )


@pytest.mark.parametrize("kind", ["text", "json"])
def test_an_address_in_somebody_elses_words_is_hidden(kind: str) -> None:
    made = record("550 <%s>: no such user", "bob@example.org", address="bob@example.org")
    line = formatter(format=kind).format(made)
    assert "550 <…>: no such user" in line
    assert "bob@" not in line


@pytest.mark.parametrize("kind", ["text", "json"])
def test_addresses_are_shown_when_asked_for(kind: str) -> None:
    made = record("550 <%s>: no such user", "bob@example.org", address="bob@example.org")
    line = formatter(format=kind, addresses="true").format(made)
    assert line.count("bob@example.org") == 2


@pytest.mark.parametrize("kind", ["text", "json"])
@pytest.mark.parametrize("secret", [PASSWORD, "fjord-lake"])
def test_a_secret_of_the_settings_never_appears(kind: str, secret: str) -> None:
    made = record("535 %s", secret)
    made.exc_info = raised(RuntimeError(f"refused {secret}"))
    line = formatter(format=kind, addresses="true").format(made)
    assert "RuntimeError: refused …" in line
    assert secret not in line


def test_a_traceback_is_part_of_the_json_object() -> None:
    made = record("it broke off")
    made.exc_info = raised(ValueError("nobody@example.org"))
    assert as_json(made)["exception"].endswith("ValueError: …")


@given(st.text(), st.sampled_from(["text", "json"]))
def test_a_record_is_one_line_whatever_a_platform_says(reply: str, kind: str) -> None:
    line = formatter(format=kind).format(record("%s", reply))
    assert "\n" not in line
    assert "\r" not in line


def test_our_loggers_follow_the_level_and_libraries_tell_warnings_only(
    capsys: pytest.CaptureFixture[str], restored_logging: None
) -> None:
    logs.configure(settings.load(environ={"DISTRIBUTOR_LOG_LEVEL": "debug"}))
    logging.getLogger("distributor.engine").debug("ours")
    logging.getLogger("channels.email").debug("a channel's")
    logging.getLogger("httpx").info("https://api.example.org/bot-token")
    logging.getLogger("celery.worker").warning("theirs")
    told = [line.split(": ", 1)[1] for line in capsys.readouterr().err.splitlines()]
    assert told == ["ours", "a channel's", "theirs"]


def test_an_answer_that_is_no_json_is_left_to_the_delivery_log(
    capsys: pytest.CaptureFixture[str], restored_logging: None
) -> None:
    logs.configure(settings.load(environ={}))
    with pytest.raises(telegram.error.TelegramError):
        telegram.request.BaseRequest.parse_json_payload(b"<h1>502 Bad Gateway</h1>")
    assert capsys.readouterr().err == ""


def test_a_wrong_format_is_refused_with_what_is_wanted() -> None:
    wanted = r"log\.format: got 'xml', wants 'text' or 'json'"
    with pytest.raises(settings.SettingsError, match=wanted):
        settings.load(environ={"DISTRIBUTOR_LOG_FORMAT": "xml"})


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Puts back what a test does to the loggers of this process."""
    names = (None, "distributor", "channels", "telegram.request")
    before = {name: logging.getLogger(name).level for name in names}
    handlers = logging.getLogger().handlers[:]
    # `force` closes the handlers that it replaces.
    logging.getLogger().handlers.clear()
    yield
    logging.captureWarnings(False)
    logging.getLogger().handlers[:] = handlers
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)
