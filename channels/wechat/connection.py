"""Posts webhook bodies to a WeCom group robot."""

from __future__ import annotations

import io
import json
import logging
import re
import time
from collections.abc import Mapping
from typing import Any

import requests

from channels.base import AccountUnreachable, Outcome, Part, Recipient
from channels.wechat.account import WeChatAccount
from channels.wechat.address import show_address
from channels.wechat.replies import read_reply, unanswered, unreachable

_HEADERS = {"Content-Type": "application/json; charset=utf-8"}


class _KeyFilter(logging.Filter):
    """Hides robot keys in the addresses that urllib3 logs."""

    _KEY = re.compile(r"(?<=[?&]key=)[^&\s'\")]+")

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self._KEY.sub("…", record.getMessage())
        record.args = ()
        return True


for _name in ("urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_KeyFilter())


class _Body(io.BytesIO):
    """A request body that knows whether any of it was taken to be sent.

    It is taken only after the connection stands and TLS has been agreed upon, so an error before
    that is proof that the robot has nothing.
    """

    taken = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.taken = True
        return super().read(size)


class RobotConnection:
    """An open way to WeCom, for any number of robots. Connects when first used."""

    def __init__(self, account: WeChatAccount) -> None:
        self._account = account
        self._session = requests.Session()

    def deliver(self, part: Part, recipient: Recipient) -> Outcome:
        """Post `part` with the robot whose key is the recipient's address."""
        return self._post(encode(part.payload), recipient.address)

    def close(self) -> None:
        """Close what is open; a later `deliver` connects again."""
        self._session.close()

    def _post(self, payload: bytes, key: str) -> Outcome:
        body = _Body(payload)
        try:
            response = self._session.post(
                self._account.webhook_url,
                params={"key": key},
                data=body,
                headers=_HEADERS,
                timeout=self._account.timeout_seconds,
                # A redirect would hand the key to another host.
                allow_redirects=False,
            )
        except requests.RequestException as error:
            # The error's text holds the address with its key; its kind says enough.
            kind = type(error).__name__
            if body.taken:
                return unanswered(f"{kind}: the connection ended without an answer.")
            return unreachable(f"{kind}: no connection to {self._account.base_url}.")
        answer = response.content.replace(key.encode(), show_address(key).encode())
        return read_reply(response.status_code, answer)


def encode(payload: Mapping[str, Any]) -> bytes:
    """The exact bytes of a webhook call: UTF-8, since some calls refuse escapes."""
    return json.dumps(payload, ensure_ascii=False).encode()


def check(account: WeChatAccount) -> str:
    """Reach WeCom without a key. Raises `AccountUnreachable`.

    A robot has no call that posts nothing, so whether a key works shows only with a message.
    """
    started = time.monotonic()
    try:
        response = requests.get(
            account.base_url, timeout=account.timeout_seconds, allow_redirects=False
        )
    except requests.RequestException as error:
        raise AccountUnreachable(
            f"{account.base_url} does not answer ({type(error).__name__}). Check the network, "
            f"the proxy settings and base_url of the account {account.name!r}."
        ) from None
    milliseconds = (time.monotonic() - started) * 1000
    return (
        f"{account.base_url} answered HTTP {response.status_code} in {milliseconds:.0f} ms. "
        "Whether a robot's key works shows with its first message."
    )
