"""Entries of feeds as documents that the reader reads."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from distributor.digest import reader
from distributor.digest.model import Digest
from distributor.digest.plain import block_text, inline_text
from distributor.digest.sources import feed
from distributor.digest.sources.download import Page, Validators
from distributor.digest.sources.model import Document, SourceUnreachable, Unread

FEED = "https://news.dev/feed.xml"
HTML = (
    "<p>Two stories.</p><ol>"
    '<li><p><a href="/stories/1">First &amp; foremost</a></p><p>It <b>happened</b>.</p></li>'
    '<li><p><a href="https://other.dev/2">Second</a></p><p>So did this.</p></li></ol>'
)
RSS = f"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
<title>News</title><link>https://news.dev/</link>
<item><title>Second edition</title><guid>tag:news.dev,2</guid></item>
<item><title>First &amp;amp; best</title><link>https://news.dev/posts/2025-12-03/</link>
<guid isPermaLink="false">tag:news.dev,1</guid><pubDate>Wed, 03 Dec 2025 07:15:00 +0800</pubDate>
<category>AI</category><category>Tech</category><description>In short.</description>
<content:encoded><![CDATA[{HTML}]]></content:encoded></item>
</channel></rss>"""
ATOM = f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title>
<entry><title>Second edition</title><id>tag:news.dev,2</id></entry>
<entry><title type="html">First &amp;amp; best</title><id>tag:news.dev,1</id>
<link href="https://news.dev/posts/2025-12-03/"/>
<published>2025-12-03T07:15:00+08:00</published><category term="AI"/><category term="Tech"/>
<summary>In short.</summary><content type="html"><![CDATA[{HTML}]]></content></entry></feed>"""
JSON = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "News",
        "items": [
            {"id": "tag:news.dev,2", "title": "Second edition", "content_text": ""},
            {
                "id": "tag:news.dev,1",
                "url": "https://news.dev/posts/2025-12-03/",
                "title": "First & best",
                "date_published": "2025-12-03T07:15:00+08:00",
                "tags": ["AI", "Tech"],
                "summary": "In short.",
                "content_html": HTML,
            },
        ],
    }
)
each_kind = pytest.mark.parametrize("source", [RSS, ATOM, JSON], ids=["RSS", "Atom", "JSON"])


def page(content: str | bytes) -> Page:
    encoded = content.encode() if isinstance(content, str) else content
    return Page(FEED, {}, encoded, Validators())


def documents(content: str | bytes) -> list[Document]:
    found = feed.documents(page(content))
    assert found is not None
    return [one for one in found if isinstance(one, Document)]


def edition(content: str | bytes) -> Digest:
    """What the reader makes of the oldest entry."""
    document = documents(content)[0]
    return reader.read(document.content, document.name)


def rss(content: str, **fields: str) -> str:
    """A feed with one entry."""
    others = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    body = f"<description><![CDATA[{content}]]></description>"
    return f"<rss version='2.0'><channel><item>{others}{body}</item></channel></rss>"


@each_kind
def test_every_entry_is_a_document_the_oldest_first(source: str) -> None:
    assert [one.identity for one in documents(source)] == ["tag:news.dev,1", "tag:news.dev,2"]


@each_kind
def test_the_reader_finds_everything_in_an_entry(source: str) -> None:
    digest = edition(source)

    assert digest.title == "First & best"
    assert digest.date == datetime(2025, 12, 3, 7, 15, tzinfo=timezone(timedelta(hours=8)))
    assert digest.categories == ("AI", "Tech")
    assert block_text(digest.intro) == "Two stories."
    assert [(inline_text(item.title), item.url) for item in digest.items] == [
        ("First & foremost", "https://news.dev/stories/1"),
        ("Second", "https://other.dev/2"),
    ]
    assert block_text(digest.items[0].body) == "It happened."


@each_kind
def test_the_same_feed_gives_the_same_bytes(source: str) -> None:
    assert documents(source) == documents(source)


def test_the_day_is_that_of_the_publisher() -> None:
    digest = edition(rss("<p>x</p>", pubDate="Wed, 03 Dec 2025 00:30:00 +0800"))

    assert digest.date is not None
    assert digest.date.isoformat() == "2025-12-03T00:30:00+08:00"


def test_a_document_is_named_as_its_link_ends() -> None:
    assert documents(RSS)[0].name == "2025-12-03.md"


def test_an_entry_without_an_id_is_known_by_its_link_or_else_by_title_and_date() -> None:
    with_link, alike = (
        documents(rss("x", title="T", link=f"https://news.dev/{n}")) for n in (1, 1)
    )
    assert with_link[0].identity == alike[0].identity == "https://news.dev/1"

    one, corrected, other = (documents(rss(text, title=title))[0] for text, title in
                             (("x", "T"), ("y", "T"), ("x", "U")))  # fmt: skip
    assert one.identity == corrected.identity != other.identity


def test_an_id_of_any_length_and_kind_can_be_stored() -> None:
    item = {"id": "\ud800\u0000\n\u001b[31m" + "x" * 5000, "content_text": "text"}
    source = json.dumps({"version": "https://jsonfeed.org/version/1", "items": [item]})

    identity = documents(source)[0].identity

    assert len(identity) == 500
    assert identity.startswith("?\ufffd\ufffd\ufffd[31mxxx")


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<style>p {}</style>",
        '<img src="https://count.dev/x.gif" width="1" height="1">',
        "<iframe src='https://ads.dev'>ad</iframe>",
        "<!-- hidden -->",
    ],
)
def test_what_is_not_for_reading_is_left_out(html: str) -> None:
    assert block_text(edition(rss(f"<p>Before.</p>{html}<p>After.</p>")).intro) == (
        "Before.\n\nAfter."
    )


def test_text_of_an_entry_is_taken_for_markdown() -> None:
    item = {"id": 1, "content_text": "1. [One](https://other.dev/1)\n\n   Text.\n"}
    source = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [item]})

    assert edition(source).items[0].url == "https://other.dev/1"


@given(
    st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="\x00"), min_size=1)
)
@example("<b> &amp; [x](http://e.dev) *a* _b_ `c` # d ![e](f) ~~g~~ | 1. h")
@settings(max_examples=60, deadline=None)
def test_words_that_look_like_markdown_stay_the_same_words(words: str) -> None:
    from html import escape

    item = {"id": "1", "title": "T", "content_html": f"<p>so: {escape(words)}</p>"}
    source = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [item]})

    assert block_text(edition(source).intro) == f"so: {words}"


@given(st.binary(max_size=200) | st.text().map(lambda t: f"<rss><channel>{t}".encode()))
@settings(max_examples=60, deadline=None)
def test_whatever_comes_is_a_feed_or_is_none_or_is_refused(content: bytes) -> None:
    # Anything else that is raised fails the test.
    with suppress(SourceUnreachable):
        feed.documents(page(content))


@pytest.mark.parametrize(
    "items", [None, 1, "x", [None], [[]], [{}], [{"tags": 1, "id": [], "title": {}}]]
)
def test_a_json_feed_of_a_wrong_shape_does_no_harm(items: object) -> None:
    source = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items})

    assert feed.documents(page(source)) is not None


@pytest.mark.parametrize(
    "content",
    [
        "# News\n\n<rss> is a format",
        '{"title": "JSON front matter"}\n\nText',
        "---\ntitle: x\n---\n",
        "<p>A post that begins with HTML</p>",
        "",
    ],
)
def test_markdown_is_no_feed(content: str) -> None:
    assert feed.documents(page(content)) is None


def test_a_feed_that_is_cut_off_is_refused() -> None:
    with pytest.raises(SourceUnreachable, match="is a feed that cannot be read"):
        feed.documents(page(RSS[:150]))


def test_an_entry_nested_beyond_reason_is_left_out_and_named() -> None:
    item = {"id": "deep", "content_html": "<div>" * 5000}
    source = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [item]})

    (left_out,) = feed.documents(page(source)) or ()

    assert isinstance(left_out, Unread)
    assert "the entry deep of https://news.dev/feed.xml is left out" in left_out.message
