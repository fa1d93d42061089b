"""Editions written for these tests."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from channels.base import Edition, Publisher, Rendering
from channels.telegram import CHANNEL
from channels.telegram.account import TelegramAccount
from distributor.digest.model import Block, Digest, Item, Paragraph, Text
from distributor.templating import Templates

TEMPLATES = Templates()
ACCOUNT = TelegramAccount(name="bot", channel="telegram", token=SecretStr("1:a"))


def paragraph(text: str) -> Paragraph:
    return Paragraph((Text(text),))


def item(
    number: int,
    title: str = "标题",
    url: str | None = "https://news.example.com/story",
    body: tuple[Block, ...] = (paragraph("正文。"),),
    **values: Any,
) -> Item:
    return Item(number, (Text(title),), url, body, **values)


def edition(
    items: tuple[Item, ...] = (),
    *,
    title: str = "每日要闻",
    intro: tuple[Block, ...] = (),
    commentary: tuple[Block, ...] = (),
    categories: tuple[str, ...] = (),
    language: str = "zh-CN",
    web_url: str = "https://digest.example.com/e/1",
) -> Edition:
    digest = Digest(
        revision="0" * 64,
        title=title,
        date=None,
        language=language,
        categories=categories,
        intro=intro,
        sections=(),
        items=items,
        commentary=commentary,
    )
    return Edition(digest, web_url, Publisher("编辑部"), TEMPLATES)


def account(**values: Any) -> TelegramAccount:
    """An account without buttons, so that all that a post says is in its text."""
    return ACCOUNT.model_copy(update={"buttons": False, **values})


def rendered(given: Edition, variant: str = "", **values: Any) -> Rendering:
    """As an account with `values` would post it."""
    return CHANNEL.render(given, account(**values), variant)
