"""What holds for every edition, by Telegram's own judgement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.base import Edition
from channels.telegram import CHANNEL
from channels.telegram.autolink import WORD_JOINER
from distributor.digest.model import (
    Block,
    Code,
    CodeBlock,
    Emphasis,
    Heading,
    Inline,
    Item,
    Link,
    ListBlock,
    Paragraph,
    Quote,
    Strong,
    Text,
)
from distributor.digest.plain import inline_text
from tests.channels.telegram.editions import edition, rendered
from tests.channels.telegram.intended import intended
from tests.channels.telegram.judge import Message, read

pytestmark = pytest.mark.slow

_WORDS = st.sampled_from(
    [
        "今天",
        "Node.js",
        "C.ai",
        "，",
        "。",
        "“好”",
        "！",
        "a<b&c",
        "😀",
        "👨‍👩‍👧‍👦",
        "é",
        "@openai",
        "/start",
        "Qwen2.5-VL.zip",
        "（注）",
        "https://example.com/路",
        "1. ",
        "\n",
        "5,000",
        " ",
    ]
)
_TEXT = st.lists(_WORDS, min_size=1, max_size=12).map("".join).map(lambda s: f"字{s}")
_LONG = st.tuples(_TEXT, st.integers(1, 200)).map(lambda pair: pair[0] * pair[1])
_URL = st.integers(0, 1500).map(lambda n: "https://example.com/" + "a" * n)

_INLINE: st.SearchStrategy[Inline] = st.recursive(
    _TEXT.map(Text) | _TEXT.map(Code),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        .map(tuple)
        .flatmap(
            lambda children: st.one_of(
                st.just(Strong(children)),
                st.just(Emphasis(children)),
                _URL.map(lambda url: Link(url, children)),
            )
        )
    ),
    max_leaves=4,
)
_INLINES = st.lists(_INLINE, min_size=1, max_size=4).map(tuple)
_BLOCK: st.SearchStrategy[Block] = st.recursive(
    _INLINES.map(Paragraph)
    | _LONG.map(lambda text: Paragraph((Text(text),)))
    | _LONG.map(lambda text: Paragraph((Strong((Text(text),)),)))
    | _INLINES.map(lambda inlines: Heading(2, inlines))
    | _LONG.map(CodeBlock),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=2).map(tuple).map(Quote)
        | st.lists(inner.map(lambda block: (block,)), min_size=1, max_size=3)
        .map(tuple)
        .map(ListBlock)
    ),
    max_leaves=4,
)
_BLOCKS = st.lists(_BLOCK, max_size=3).map(tuple)


@st.composite
def _editions(draw: st.DrawFn) -> Edition:
    items = tuple(
        Item(number, draw(_INLINES), draw(st.none() | _URL), draw(_BLOCKS))
        for number in range(1, draw(st.integers(0, 6)) + 1)
    )
    return edition(items, intro=draw(_BLOCKS), commentary=draw(_BLOCKS))


_careful = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
_STYLES = st.sampled_from(CHANNEL.variants)


def _posts(given_: Edition, style: str = "") -> list[Message]:
    return [read(part.payload["text"]) for part in rendered(given_, style).parts]


def _letters(text: str) -> str:
    return "".join(text.replace(WORD_JOINER, "").split())


@_careful
@given(_editions(), _STYLES)
def test_every_part_is_within_all_budgets_and_the_same_each_time(
    given_: Edition, style: str
) -> None:
    parts = rendered(given_, style).parts
    for part in parts:
        message = read(part.payload["text"])
        assert message.text.strip()
        assert len(message.text) <= 4096
        assert len(message.entities) + len(message.added) <= 95
        assert sum(12 + len(url) for _, _, url in message.entities) <= 9_000
        assert len(part.payload["text"].encode()) <= 32_768
    assert rendered(given_, style).parts == parts


@_careful
@given(_editions(), _STYLES)
def test_telegram_reads_exactly_what_was_meant_and_adds_no_link(
    given_: Edition, style: str
) -> None:
    for part in rendered(given_, style).parts:
        text, entities = intended(part.payload["text"])
        message = read(part.payload["text"])
        assert message.text == text
        # Next to one another, Telegram makes one stretch of two alike.
        assert _covered(message.entities) == _covered(entities)
        kinds = {kind for kind, _, _ in message.added}
        assert not kinds & {"Url", "Mention", "BotCommand"}


def _covered(entities: Iterable[tuple[str, str, str]]) -> Counter[tuple[str, str, str]]:
    """How often each letter has each kind of formatting."""
    return Counter(
        (kind.replace("PreCode", "Pre"), letter, _origin(url))
        for kind, text, url in entities
        for letter in _letters(text)
    )


def _origin(url: str) -> str:
    """Telegram writes addresses its own way: a slash after the host, letters percent-encoded."""
    return url.rstrip("/")


@_careful
@given(_editions(), _STYLES)
def test_every_headline_and_link_is_there_in_order(given_: Edition, style: str) -> None:
    messages = _posts(given_, style)
    text = _letters("".join(message.text for message in messages))
    links = [(_letters(label), url) for message in messages for label, url in message.links]
    place = 0
    for item in given_.digest.items:
        title = _letters(inline_text(item.title))
        place = text.index(f"{item.number}.{title}", place)
        assert item.url is None or (title, item.url) in links


@_careful
@given(st.lists(_LONG, min_size=1, max_size=6), _STYLES)
def test_no_word_is_lost_where_text_is_divided(texts: list[str], style: str) -> None:
    blocks = tuple(Paragraph((Text(text),)) for text in texts)
    given_ = edition(
        (Item(1, (Text("标题"),), None, blocks),), intro=blocks, commentary=blocks, web_url=""
    )
    messages = _posts(given_, style)
    total = len(messages)
    shown = [
        message.text.removesuffix(f"({number}/{total})" if total > 1 else "")
        for number, message in enumerate(messages, start=1)
    ]
    words = "".join(texts)
    body = words + "点评" + words if style != "headlines" else ""
    assert _letters("".join(shown)) == _letters(f"每日要闻{words}1. 标题{body}")
