"""What holds for every edition, by Telegram's own judgement."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.base import Edition
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
from tests.channels.telegram.judge import Message, read

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
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def _posts(given_: Edition) -> list[Message]:
    return [read(part.payload["text"]) for part in rendered(given_).parts]


def _letters(text: str) -> str:
    return "".join(text.replace(WORD_JOINER, "").split())


@_careful
@given(_editions())
def test_every_part_is_within_all_budgets(given_: Edition) -> None:
    for part in rendered(given_).parts:
        message = read(part.payload["text"])
        assert message.text.strip()
        assert len(message.text) <= 4096
        assert len(message.entities) + len(message.added) <= 95
        assert sum(12 + len(url) for _, _, url in message.entities) <= 9_000
        assert len(part.payload["text"].encode()) <= 32_768


@_careful
@given(_editions())
def test_the_same_edition_gives_the_same_parts(given_: Edition) -> None:
    assert rendered(given_) == rendered(given_)


@_careful
@given(_editions())
def test_every_headline_and_link_is_there_in_order(given_: Edition) -> None:
    messages = _posts(given_)
    text = _letters("".join(message.text for message in messages))
    links = [(_letters(label), url) for message in messages for label, url in message.links]
    place = 0
    for item in given_.digest.items:
        title = _letters(inline_text(item.title))
        place = text.index(f"{item.number}.{title}", place)
        assert item.url is None or (title, item.url) in links


@_careful
@given(st.lists(_LONG, min_size=1, max_size=6))
def test_no_word_is_lost_where_prose_is_divided(texts: list[str]) -> None:
    given_ = edition(intro=tuple(Paragraph((Text(text),)) for text in texts), web_url="")
    messages = _posts(given_)
    total = len(messages)
    shown = [
        message.text.removesuffix(f"({number}/{total})")
        for number, message in enumerate(messages, start=1)
    ]
    assert _letters("".join(shown)) == _letters("每日要闻" + "".join(texts))


@_careful
@given(_editions())
def test_telegram_adds_no_link_of_its_own(given_: Edition) -> None:
    for message in _posts(given_):
        kinds = {kind for kind, _, _ in message.added}
        assert not kinds & {"Url", "Mention", "BotCommand"}
