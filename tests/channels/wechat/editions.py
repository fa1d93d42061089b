"""Editions written for these tests."""

from __future__ import annotations

from datetime import UTC, datetime

from channels.base import Edition, Publisher
from distributor.digest.model import Block, Digest, Item, Paragraph, Text
from distributor.templating import Templates

WEB_URL = "https://news.example/editions/2026-03-02"
TEMPLATES = Templates()


def paragraphs(*texts: str) -> tuple[Block, ...]:
    return tuple(Paragraph((Text(text),)) for text in texts)


def item(
    number: int,
    title: str = "某公司发布新一代开源模型",
    text: str = "它比上一代更快。",
    url: str | None = "",
) -> Item:
    address = f"https://source.example/stories/{number}" if url == "" else url
    return Item(number, (Text(title),), address, paragraphs(text))


def stories(count: int) -> tuple[Item, ...]:
    return tuple(item(number, f"第{number}条：新模型发布") for number in range(1, count + 1))


def edition(
    *items: Item,
    title: str = "2026.03.02 全球AI新闻速递",
    intro: tuple[Block, ...] = paragraphs("今天有三件大事。"),
    commentary: tuple[Block, ...] = (),
    date: datetime | None = datetime(2026, 3, 2, 9, 15, tzinfo=UTC),
    language: str = "zh-CN",
    categories: tuple[str, ...] = (),
    web_url: str = WEB_URL,
) -> Edition:
    digest = Digest(
        revision="0" * 64,
        title=title,
        date=date,
        language=language,
        categories=categories,
        intro=intro,
        sections=(),
        items=items,
        commentary=commentary,
    )
    return Edition(digest, web_url, Publisher("晨间简报"), TEMPLATES)
