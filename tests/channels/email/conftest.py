"""What the email tests share: editions written here, and relays that they talk to."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from channels.base import Edition, Publisher, Recipient
from channels.email.account import EmailAccount
from distributor.digest.model import Digest, Item, Paragraph, Strong, Text
from distributor.templating import Templates
from tests.channels.email.relay import ScriptedRelay
from tests.support import certificates

BEIJING = timezone(timedelta(hours=8))


def paragraph(text: str) -> Paragraph:
    return Paragraph((Text(text),))


def chinese_digest(stories: int = 3, **changes: Any) -> Digest:
    """An edition of the daily series' form, with so many `stories`."""
    values: dict[str, Any] = {
        "revision": "5f2b" * 16,
        "title": "2026.11.20 开源数据工具日报",
        "date": datetime(2026, 11, 20, 8, 30, tzinfo=BEIJING),
        "language": "zh-CN",
        "categories": ("数据库", "编程语言"),
        "intro": (Paragraph((Text("今天有 "), Strong((Text("三件"),)), Text("事值得一读。"))),),
        "sections": (),
        "items": tuple(
            Item(
                number=number,
                title=(Text(f"第 {number} 条：SQLite & DuckDB 的 <新> 版本"),),
                url=f"https://www.sqlite.org/news/{number}.html?a=1&b=2",
                body=(paragraph(f"正文 {number}：查询更快，文件更小。"),),
            )
            for number in range(1, stories + 1)
        ),
        "commentary": (paragraph("工具在变小，想法在变大。"),),
    }
    return Digest(**(values | changes))


def edition_of(digest: Digest) -> Edition:
    return Edition(
        digest=digest,
        web_url="https://news.example.org/editions/20261120",
        publisher=Publisher("开源日报", "上海市示例路 100 号"),
        templates=Templates(),
    )


def reader(**changes: Any) -> Recipient:
    values: dict[str, Any] = {
        "address": "reader@example.net",
        "identity": "send1-5f2b-reader1",
        "name": "王小明",
        "unsubscribe_url": "https://news.example.org/u/token-of-reader1",
    }
    return Recipient(**(values | changes))


def account_for(port: int = 25, **changes: Any) -> EmailAccount:
    values: dict[str, Any] = {
        "name": "relay",
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "from_address": "daily@news.example.org",
        "timeout_seconds": 5,
        "final_timeout_seconds": 5,
    }
    return EmailAccount.model_validate(values | changes)


@pytest.fixture
def edition() -> Edition:
    return edition_of(chinese_digest())


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's TLS context with a certificate that nobody vouches for."""
    return certificates.make(tmp_path_factory.mktemp("tls")).context


@pytest.fixture
def relay() -> Iterator[Callable[..., ScriptedRelay]]:
    """Starts relays that answer from a script; all are stopped at the end of the test."""
    started: list[ScriptedRelay] = []

    def start(*, tls: ssl.SSLContext | None = None, **script: list[str | None]) -> ScriptedRelay:
        started.append(ScriptedRelay(script, tls))
        return started[-1]

    yield start
    for server in started:
        server.stop()
