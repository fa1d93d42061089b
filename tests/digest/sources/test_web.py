"""An address on the web: a feed, or one post after the other."""

from __future__ import annotations

import pytest

from distributor.digest.sources.model import Document, SourceUnreachable
from distributor.digest.sources.web import WebSource
from tests.support.site import Site

RSS = (
    "<rss version='2.0'><channel>"
    "<item><guid>tag:news.dev,1</guid><title>One</title></item>"
    "</channel></rss>"
)


def source(url: str) -> WebSource:
    return WebSource("web", url, 60, 10_000, 60, allow_private=True)


def test_a_feed_gives_its_entries(here: Site) -> None:
    fetched = source(here.put("/feed.xml", RSS)).fetch("")

    assert fetched is not None
    assert [one.identity for one in fetched.documents] == ["tag:news.dev,1"]


def test_markdown_is_one_document_whose_place_the_next_one_will_take(here: Site) -> None:
    url = here.put("/news/today.md", "# News")

    fetched = source(url).fetch("")

    assert fetched is not None
    assert fetched.documents == [Document(url, "today.md", b"# News", is_rolling=True)]


def test_nothing_is_fetched_until_the_server_says_that_it_changed(here: Site) -> None:
    url = here.put("/feed.xml", RSS, ETag='"1"')
    fetched = source(url).fetch("")
    assert fetched is not None

    assert source(url).fetch(fetched.mark) is None

    here.put("/feed.xml", RSS, ETag='"2"')
    assert source(url).fetch(fetched.mark) is not None


@pytest.mark.parametrize("html", ["<!DOCTYPE html><p>x", "\n<HTML lang=en>"])
def test_a_web_page_is_refused(here: Site, html: str) -> None:
    with pytest.raises(SourceUnreachable, match="is a web page, neither Markdown nor a feed"):
        source(here.put("/", html)).fetch("")


def test_a_check_says_what_is_there(here: Site) -> None:
    feed, post = here.put("/feed.xml", RSS), here.put("/a.md", "# News")

    assert source(feed).check() == f"a feed of 1 entry at {feed}"
    assert source(post).check() == f"a Markdown post at {post}"
