"""The sandbox as the drill sees it: told to misbehave, and asked what it received."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from distributor.drill.plan import PATTERNS, Kind

_TIMEOUT_SECONDS = 30
_PAGE = 2000
#: The sandbox's word for the platform of each channel.
PLATFORMS = {"email": "smtp", "telegram": "telegram", "wechat": "wecom"}
#: What the sandbox puts behind a chat's id, before the bot's.
_BOT = " bot"
_CHANNELS = {platform: channel for channel, platform in PLATFORMS.items()}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a platform does wrong, once to each message for the addresses that it strikes."""

    channel: str
    fault: Mapping[str, object]
    #: Whether those who are struck may have got the message all the same.
    leaves_doubt: bool = False


TROUBLES: Mapping[Kind, Trouble] = {
    Kind.MAIL_BUSY: Trouble("email", {"kind": "rate_limit", "retry_after": 1}),
    Kind.MAIL_REFUSED: Trouble(
        "email", {"kind": "reject", "code": 451, "text": "4.3.0 local error in processing"}
    ),
    Kind.MAIL_CUT: Trouble("email", {"kind": "drop_before", "stage": "rcpt"}),
    Kind.MAIL_UNANSWERED: Trouble("email", {"kind": "drop_after"}, leaves_doubt=True),
    Kind.TELEGRAM_BUSY: Trouble("telegram", {"kind": "rate_limit", "retry_after": 2}),
    # A gateway does not say whether the message had got through it.
    Kind.TELEGRAM_BROKEN: Trouble(
        "telegram", {"kind": "http_error", "status": 502}, leaves_doubt=True
    ),
    Kind.TELEGRAM_UNANSWERED: Trouble("telegram", {"kind": "drop_after"}, leaves_doubt=True),
    # Not its "too many messages": that one has to be waited for a minute.
    Kind.WECOM_BUSY: Trouble("wechat", {"kind": "reject", "code": -1, "text": "system busy"}),
    Kind.WECOM_UNANSWERED: Trouble("wechat", {"kind": "drop_after"}, leaves_doubt=True),
}


def address(channel: str, number: int) -> str:
    """The address of subscriber `number` of a channel; its pattern is `number % PATTERNS`."""
    pick, serial = number % PATTERNS, number // PATTERNS
    match channel:
        case "email":
            return f"reader-{serial}-p{pick:02}@drill.example"
        case "telegram":
            return f"7{serial:07}{pick:02}"
        case _:
            return f"{pick:02}ffffff-0000-4000-8000-{serial:012}"


def pattern(channel: str, pick: int) -> str:
    """What the addresses of this pattern contain, as a fault of the sandbox is told them."""
    match channel:
        case "email":
            return f"-p{pick:02}@"
        case "telegram":
            return f"{pick:02}{_BOT}"
        case _:
            return f"{pick:02}ffffff-"


def alike(channel: str, pick: int, addresses: Iterable[str]) -> list[str]:
    """Those of a channel's addresses that have the pattern `pick`."""
    match = pattern(channel, pick).removesuffix(_BOT)
    if channel == "telegram":
        return [one for one in addresses if one.endswith(match)]
    return [one for one in addresses if match in one]


@dataclass(frozen=True, slots=True)
class Copies:
    """What each (channel, address) received: how often each different message."""

    by_address: Mapping[tuple[str, str], Counter[str]]

    def of(self, channel: str, address: str) -> Counter[str]:
        return self.by_address.get((channel, address), Counter())


class Platforms:
    """The control API of the sandbox at `base_url`."""

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url}/control"

    def misbehave(self, channel: str, match: str, **fault: object) -> None:
        body = {"platform": PLATFORMS[channel], "match": match, **fault}
        url = f"{self._url}/faults"
        requests.post(url, json=body, timeout=_TIMEOUT_SECONDS).raise_for_status()

    def accepted(self) -> int:
        """Messages that all platforms together have accepted."""
        answer = requests.get(f"{self._url}/attempts", timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
        return sum(int(one["accepted"]) for one in answer.json().values())

    def received(self) -> Copies:
        """Everything that was accepted, by whom it was for."""
        found: dict[tuple[str, str], Counter[str]] = {}
        last = 0
        while page := self._page(last):
            for message in page:
                key = (_CHANNELS[message["platform"]], str(message["address"]))
                found.setdefault(key, Counter())[_told_apart(message)] += 1
            last = page[-1]["id"]
        return Copies(found)

    def _page(self, after: int) -> list[dict[str, Any]]:
        query = {"after": after, "limit": _PAGE}
        answer = requests.get(f"{self._url}/messages", params=query, timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
        messages: list[dict[str, Any]] = answer.json()
        return messages


def _told_apart(message: Mapping[str, Any]) -> str:
    """The same for copies of one message, and for no other message to the same address."""
    match message["platform"]:
        case "smtp":
            return str(message["message_id"])
        case "telegram":
            return str(message["text"])
        case _:
            return json.dumps(message["body"], sort_keys=True)
