"""Editions that nobody would write on purpose, from Markdown to Telegram's own reading of them."""

from __future__ import annotations

import pytest

from channels.base import Edition, Publisher
from channels.telegram import CHANNEL
from distributor.digest import reader
from tests.channels.telegram.editions import TEMPLATES, account
from tests.channels.telegram.intended import intended
from tests.channels.telegram.judge import Message, read

HEAD = '---\ntitle: "{}"\ndate: 2026-03-02T08:00:00+08:00\n---\n\n'
LONG_URL = "https://example.com/?q=" + "a" * 1977


def posts(source: str, style: str) -> list[Message]:
    """What Telegram reads, checked to be what was meant, with no link of its own making."""
    edition = Edition(
        reader.read(source.encode(), "odd.md"), "https://n.example/e", Publisher("x"), TEMPLATES
    )
    found = []
    for part in CHANNEL.render(edition, account(), style).parts:
        text, _ = intended(part.payload["text"])
        message = read(part.payload["text"])
        assert message.text == text
        assert not {kind for kind, _, _ in message.added} & {"Url", "Mention", "BotCommand"}
        found.append(message)
    return found


@pytest.mark.parametrize("style", CHANNEL.variants)
@pytest.mark.parametrize(
    ("title", "body", "links"),
    [
        (
            "🎉🎊",
            "1. [😀](https://example.com/1)\n\n   👨‍👩‍👧‍👦🏳️‍🌈\n\n"
            "2. [🚀](https://example.com/2)\n\n   🎯\n",
            2,
        ),
        ("链接", "".join(f"{n}. <https://example.com/{n}>\n\n" for n in range(1, 9)), 8),
        (
            "1 < 2 & 3 > 2",
            "1. [`<b>` *&amp;* _x_ ~y~ [z] <script>](https://example.com/?a=1&b=<2>)\n\n"
            "   <blockquote> </a> &lt;p&gt; * _ ` ~ | \\ # + - = { } . ! ](x) <b>\n",
            1,
        ),
        (
            "نشرة الأخبار",
            "1. [خبر عن OpenAI](https://example.com/ar)\n\n   نص عربي مع English و123.\n",
            1,
        ),
        ("长链接", f"1. [甲]({LONG_URL})\n\n   见[乙]({LONG_URL})。\n", 1),
        ("长条目", f"1. [甲](https://example.com/1)\n\n   {'很长的一句话，没有尽头。' * 850}\n", 1),
        ("没有断句", f"1. [甲](https://example.com/1)\n\n   {'字' * 10_000}\n", 1),
    ],
    ids=["emoji", "links", "markup", "rtl", "long-urls", "long-item", "no-pause"],
)
def test_an_odd_edition_arrives_as_it_was_meant(
    title: str, body: str, links: int, style: str
) -> None:
    messages = posts(HEAD.format(title) + body, style)
    assert title in messages[0].text
    urls = [url for message in messages for _, url in message.links if "n.example" not in url]
    assert len(urls) >= links
    assert all(len(message.text) <= 4096 for message in messages)
