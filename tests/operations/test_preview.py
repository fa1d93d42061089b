"""What `preview` writes for an edition, and what its page shows."""

from __future__ import annotations

import email
import email.policy
import json
import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest

from channels.base import Edition, Publisher
from distributor.digest.decoding import UnreadableDigest
from distributor.digest.reader import read
from distributor.operations import preview, preview_page
from distributor.operations.errors import OperationError
from distributor.operations.preview import Preview
from distributor.settings import Settings, load
from distributor.templating import Templates, shipped

EDITION = """---
title: "2026.11.20 开源工具日报"
date: 2026-11-20T08:30:00+08:00
categories: ["数据库"]
---

今天有**两件**事值得一读。

1. [DuckDB & SQLite 的 <新> 版本](https://duckdb.org/news?a=1&b=2)

   查询更快，文件更小。

2. [某公司发布新模型](https://news.ycombinator.com/item?id=42)

   它比上一代更快。

## 点评

工具在变小，想法在变大。
"""
ITEMS = (
    ("DuckDB & SQLite 的 <新> 版本", "https://duckdb.org/news?a=1&b=2"),
    ("某公司发布新模型", "https://news.ycombinator.com/item?id=42"),
)
HELD = EDITION.replace("https://duckdb.org/news?a=1&b=2", "https://example.com/news")
HOSTILE = EDITION.replace(
    "查询更快", "<b onclick=alert(1)>`<script>alert(1)</script>`</b>"
).replace("开源工具日报", "</title><script>alert(2)</script>")
FILES = {
    "email.eml",
    "email.html",
    "email.txt",
    "telegram.json",
    "wechat-robot.json",
    "wechat-article.html",
    "wechat-copy.html",
    "cover.png",
    "thumb.png",
    "card.png",
    "wide.png",
    "poster.png",
    "index.html",
}


@pytest.fixture
def settings() -> Settings:
    return load(shipped("config") / "distributor.toml", environ={})


def previewed(settings: Settings, tmp_path: Path, source: str = EDITION) -> Preview:
    file = tmp_path / "20261120.md"
    file.write_text(source, encoding="utf-8")
    return preview.write(settings, file, tmp_path / "out")


def page_of(written: Preview) -> str:
    return (written.folder / "index.html").read_text(encoding="utf-8")


def parsed(html: str) -> Element:
    document: Element = html5lib.parse(html, namespaceHTMLElements=False)
    return document


def words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def section(page: str, anchor: str) -> Element:
    (found,) = (e for e in parsed(page).iter() if e.get("id") == anchor)
    return found


def json_of(written: Preview, name: str) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads((written.folder / name).read_bytes())
    return content


def test_every_channel_and_the_page_have_their_files(settings: Settings, tmp_path: Path) -> None:
    written = previewed(settings, tmp_path)
    assert {path.name for path in written.folder.iterdir()} == FILES
    assert set(written.files) == FILES
    assert written.files[-1] == "index.html"


def test_every_title_and_link_is_in_each_channels_file(settings: Settings, tmp_path: Path) -> None:
    written = previewed(settings, tmp_path)
    message = email.message_from_bytes(
        (written.folder / "email.eml").read_bytes(), policy=email.policy.default
    )
    assert isinstance(message, EmailMessage)
    html, text = (message.get_body([kind]) for kind in ("html", "plain"))
    assert html is not None
    assert text is not None
    posts = "\n".join(call["text"] for call in json_of(written, "telegram.json"))
    cards = [
        card for body in json_of(written, "wechat-robot.json") for card in body["news"]["articles"]
    ]
    for title, link in ITEMS:
        for document in (parsed(html.get_content()), parsed(posts)):
            assert title in words(document)
            assert link in {anchor.get("href") for anchor in document.iter("a")}
        assert title in text.get_content()
        assert link in text.get_content()
        assert any(title in card["title"] and card["url"] == link for card in cards)


def test_the_page_says_that_the_edition_may_go_out(settings: Settings, tmp_path: Path) -> None:
    written = previewed(settings, tmp_path)
    lead = words(section(page_of(written), "edition"))
    assert "2026.11.20 开源工具日报" in lead
    assert "May go out" in lead
    assert "2 items" in lead


def test_an_edition_that_would_be_held_is_shown_with_its_reason(
    settings: Settings, tmp_path: Path
) -> None:
    written = previewed(settings, tmp_path, HELD)
    assert [reason.code for reason in written.edition.reasons] == ["placeholder-link"]
    lead = words(section(page_of(written), "edition"))
    assert "Would be held" in lead
    assert written.edition.reasons[0].message in lead


def test_the_page_shows_mail_posts_cards_article_and_cover(
    settings: Settings, tmp_path: Path
) -> None:
    page = page_of(previewed(settings, tmp_path))
    for anchor in ("email", "article"):
        (frame,) = section(page, anchor).iter("iframe")
        assert ITEMS[0][0] in words(parsed(frame.get("srcdoc", "")))
    for anchor in ("telegram", "wecom"):
        shown = section(page, anchor)
        links = {a.get("href") for a in shown.iter("a")}
        for title, link in ITEMS:
            assert title in words(shown)
            assert link in links
    (picture,) = section(page, "cover").iter("img")
    assert picture.get("src", "").startswith("data:image/png;base64,")


def test_a_channels_warnings_are_on_the_page(settings: Settings, tmp_path: Path) -> None:
    written = previewed(settings, tmp_path, EDITION.replace("它比上一代更快。", "更快。" * 200))
    assert written.warnings
    lead = words(section(page_of(written), "edition"))
    for channel, warning in written.warnings:
        assert f"{channel} {warning}" in lead


def test_the_page_links_to_each_other_file_beside_it(settings: Settings, tmp_path: Path) -> None:
    written = previewed(settings, tmp_path)
    links = {a.get("href") for a in section(page_of(written), "files").iter("a")}
    assert links == FILES - {"index.html"}


def test_the_page_runs_nothing_and_loads_nothing(settings: Settings, tmp_path: Path) -> None:
    document = parsed(page_of(previewed(settings, tmp_path)))
    assert not list(document.iter("script"))
    sources = [e.get("src", "") for e in document.iter() if e.get("src")]
    assert all(source.startswith("data:") for source in sources)
    assert all("allow-scripts" not in f.get("sandbox", "allow-scripts") for f in frames(document))


def test_nothing_in_a_digest_becomes_markup(settings: Settings, tmp_path: Path) -> None:
    document = parsed(page_of(previewed(settings, tmp_path, HOSTILE)))
    documents = [document, *(parsed(frame.get("srcdoc", "")) for frame in frames(document))]
    assert len(documents) == 3
    for one in documents:
        assert not list(one.iter("script"))
        assert not [e for e in one.iter() for name in e.attrib if name.startswith("on")]


def frames(document: Element) -> list[Element]:
    return list(document.iter("iframe"))


def test_the_page_is_well_formed(settings: Settings, tmp_path: Path) -> None:
    html5lib.HTMLParser(strict=True).parse(page_of(previewed(settings, tmp_path)))


@pytest.mark.parametrize(("language", "token"), [("zh-CN", "family"), ("en", "latin")])
def test_each_language_is_set_in_its_own_fonts(
    settings: Settings, tmp_path: Path, language: str, token: str
) -> None:
    source = EDITION.replace("---\ntitle", f"---\nlanguage: {language}\ntitle")
    written = previewed(settings, tmp_path, source)
    first = Templates().look["type"][token].split(",")[0].strip("'")
    for name in ("email.html", "wechat-article.html"):
        document = parsed((written.folder / name).read_text(encoding="utf-8"))
        styles = " ".join(element.get("style", "") for element in document.iter())
        fonts = re.findall(r"font-family: ?['\"]?([^,'\";]+)", styles)
        assert fonts
        assert set(fonts) == {first}


def test_a_channel_without_account_is_left_out_and_named(
    settings: Settings, tmp_path: Path
) -> None:
    accounts = {n: a for n, a in settings.accounts.items() if a.channel != "telegram"}
    written = previewed(settings.model_copy(update={"accounts": accounts}), tmp_path)
    assert set(written.files) == FILES - {"telegram.json"}
    assert ("telegram", "no account is configured, so there is no preview") in written.warnings
    assert "Nothing for Telegram" in words(section(page_of(written), "telegram"))


def test_an_edition_that_no_channel_can_carry_is_an_error(
    settings: Settings, tmp_path: Path
) -> None:
    none = settings.model_copy(update={"accounts": {}})
    with pytest.raises(OperationError, match=r"no channel can show .*20261120\.md: email: no acc"):
        previewed(none, tmp_path)
    assert not (tmp_path / "out").exists()


def test_an_empty_file_is_an_error_and_nothing_is_written(
    settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(OperationError, match=r"20261120\.md has nothing to preview: the file is"):
        previewed(settings, tmp_path, "")
    assert not (tmp_path / "out").exists()


def test_a_missing_file_is_an_error(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UnreadableDigest, match="does not exist"):
        preview.write(settings, tmp_path / "none.md", tmp_path / "out")


def test_files_of_an_earlier_preview_are_replaced_and_others_stay(
    settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "email.txt").write_text("old")
    (folder / "notes.txt").write_text("mine")
    previewed(settings, tmp_path)
    assert ITEMS[0][1] in (folder / "email.txt").read_text(encoding="utf-8")
    assert (folder / "notes.txt").read_text() == "mine"
    assert {path.name for path in folder.iterdir()} == {*FILES, "notes.txt"}


def test_a_file_in_place_of_the_folder_is_an_error(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OperationError, match="out is a file, and --out wants a folder"):
        previewed(settings, tmp_path)
    assert (tmp_path / "out").read_text() == "mine"


def test_a_letter_is_shown_as_the_given_reader_would_get_it(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "20261120.md"
    file.write_text(EDITION, encoding="utf-8")

    written = preview.write(settings, file, tmp_path / "out", preview.Reader("王小明"))

    assert "王小明" in (written.folder / "email.txt").read_text(encoding="utf-8")
    assert "王小明" in words(section(page_of(written), "email"))


def test_a_folder_that_cannot_be_made_is_an_error(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "20261120.md").write_text(EDITION, encoding="utf-8")
    inside_a_file = tmp_path / "20261120.md" / "out"
    with pytest.raises(OperationError, match=r"cannot be written to .*: Not a directory"):
        preview.write(settings, tmp_path / "20261120.md", inside_a_file)


def test_a_post_that_telegram_refuses_is_shown_with_the_refusal() -> None:
    edition = Edition(
        read(EDITION.encode(), "20261120.md"), "https://news.net", Publisher("日报"), Templates()
    )
    call = {"method": "sendMessage", "text": "<b>open", "parse_mode": "HTML"}
    page = preview_page.render(edition, (), (), {"telegram.json": json.dumps([call]).encode()})
    assert "Telegram would refuse this: Bad Request: can't parse entities" in words(
        section(page, "telegram")
    )
