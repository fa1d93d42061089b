"""Logs of the programs that keep running: one line an event, with ids and without addresses."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from distributor.privacy import without_addresses, without_secrets
from distributor.settings import Settings

#: Loggers that `log.level` is about. Libraries tell their warnings only: below that they repeat
#: full URLs with their tokens.
_OURS = ("distributor", "channels")
#: Logs a traceback for each answer that is no JSON; the delivery log says what it meant.
_NOISY = "telegram.request"
#: What `extra` of a log call may say the event is about.
_ABOUT = ("send", "batch", "delivery", "channel", "account")
#: Anything shorter would hide ordinary words.
_SHORTEST_SECRET = 4


def configure(settings: Settings) -> None:
    """Log to standard error as `[log]` in the settings says, whatever was set up before."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(settings))
    level = logging.getLevelNamesMapping()[settings.log.level.upper()]
    logging.captureWarnings(True)
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    for name in _OURS:
        logging.getLogger(name).setLevel(level)
    logging.getLogger(_NOISY).setLevel(logging.CRITICAL)


def formatter(settings: Settings) -> logging.Formatter:
    """Turns records into lines of the format that the settings name."""
    kind = JsonFormatter if settings.log.format == "json" else TextFormatter
    return kind(tuple(_secrets(settings)), addresses=settings.log.addresses)


class _Formatter(logging.Formatter):
    """Hides what must not be in a log, also in what a library or a traceback says."""

    def __init__(self, secrets: tuple[str, ...], *, addresses: bool) -> None:
        super().__init__()
        self._secrets = secrets
        self._addresses = addresses

    def _safe(self, text: str) -> str:
        text = without_secrets(text, *self._secrets)
        return text if self._addresses else without_addresses(text)

    def _about(self, record: logging.LogRecord) -> dict[str, object]:
        """The ids that came with the record; the address too, if it may be shown."""
        about = {name: getattr(record, name) for name in _ABOUT if hasattr(record, name)}
        if self._addresses and hasattr(record, "address"):
            about["address"] = without_secrets(record.address, *self._secrets)
        return about

    def _trace(self, record: logging.LogRecord) -> str:
        trace = [self.formatException(record.exc_info)] if record.exc_info else []
        if record.stack_info:
            trace.append(self.formatStack(record.stack_info))
        return self._safe("\n".join(trace))


class JsonFormatter(_Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._safe(record.getMessage()),
            **self._about(record),
        }
        if trace := self._trace(record):
            said["exception"] = trace
        return json.dumps(said, ensure_ascii=False, default=str)


class TextFormatter(_Formatter):
    """One line, and a traceback below it if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        # A line of somebody's reply must not pass for a line of the log.
        message = self._safe(record.getMessage()).replace("\r", "").replace("\n", "\\n")
        about = "".join(f" {name}={value}" for name, value in self._about(record).items())
        line = f"{_time(record)} {record.levelname} {record.name}: {message}{about}"
        trace = self._trace(record)
        return f"{line}\n{trace}" if trace else line


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _secrets(model: BaseModel) -> Iterator[str]:
    """Every secret in the settings, and the passwords of URLs that are secret as a whole."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        for one in value.values() if isinstance(value, dict) else [value]:
            if isinstance(one, BaseModel):
                yield from _secrets(one)
            elif isinstance(one, SecretStr):
                secret = one.get_secret_value()
                found = (secret, _password(secret))
                yield from (text for text in found if len(text) >= _SHORTEST_SECRET)


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""
