from __future__ import annotations

from pathlib import Path

import html5lib
import pytest
from httpx import Response

from tests.web.conftest import CHINESE, Site

HOSTILE = """---
title: "<script>alert(1)</script> & more"
categories: ['"><img src=x onerror=alert(2)>']
---

1. [A <b>title</b>](https://example.com/"onmouseover="alert)

   Text with `<script>` and [a link](https://example.com/?a="x") and ![a "picture"](https://example.com/p.png).

   | one | two |
   | --- | --- |
   | 1 | 2 |

   - first
   - second
"""


def edition(site: Site, source: str) -> Response:
    return site.get(f"/editions/{site.keep(source)}")


def test_an_edition_is_found_by_its_whole_revision_or_its_first_16_digits(site: Site) -> None:
    revision = site.keep(CHINESE)
    whole, short = site.get(f"/editions/{revision}"), site.get(f"/editions/{revision[:16]}")
    assert whole.status_code == short.status_code == 200
    assert whole.text == short.text
    assert site.get(f"/editions/{revision[:16].upper()}").status_code == 200


@pytest.mark.parametrize("revision", ["0" * 16, "0" * 64, "0" * 20, "x" * 16, "%25" * 16, "1"])
def test_an_edition_that_is_not_there_gets_a_friendly_page(site: Site, revision: str) -> None:
    site.keep(CHINESE)
    answer = site.get(f"/editions/{revision}")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


def test_the_page_shows_the_digest_in_its_own_language(site: Site) -> None:
    page = edition(site, CHINESE).text
    assert '<html lang="zh' in page
    for words in ("2026.03.02 今日新闻", "2026年3月2日 星期一", "日报", "<strong>两件</strong>"):
        assert words in page
    for words in ("第一件事", "正文第一段，含<code>代码</code>。", "点评", "一切都好。"):
        assert words in page


def test_items_and_the_commentary_can_be_linked_to(site: Site) -> None:
    page = edition(site, CHINESE).text
    for anchor in ('id="item-1"', 'id="item-2"', 'id="commentary"'):
        assert page.count(anchor) == 1


def test_each_item_links_to_its_source_and_names_the_host(site: Site) -> None:
    page = edition(site, CHINESE).text
    assert page.count('href="https://news.example.org/second?a=1&amp;b=2"') == 2
    assert ">example.com</a>" in page


def test_nothing_in_a_digest_becomes_markup(site: Site) -> None:
    page = edition(site, HOSTILE).text
    document = html5lib.parse(page, namespaceHTMLElements=False)
    assert not list(document.iter("script"))
    assert not list(document.iter("img"))
    attributes = {name for element in document.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on")}
    assert document.findtext(".//h1") == "<script>alert(1)</script> & more"


def test_tables_lists_and_pictures_are_shown_without_loading_anything(site: Site) -> None:
    document = html5lib.parse(edition(site, HOSTILE).text, namespaceHTMLElements=False)
    assert [cell.text for cell in document.iter("th")] == ["one", "two"]
    assert [cell.text for cell in document.iter("td")] == ["1", "2"]
    bullets = document.findall(".//*[@class='prose']/ul/li")
    assert [one.text for one in bullets] == ["first", "second"]
    picture = [one for one in document.iter("a") if one.text == 'a "picture"']
    assert [one.get("href") for one in picture] == ["https://example.com/p.png"]
    sources = [element.get("src") for element in document.iter() if element.get("src")]
    assert sources == []


def test_the_policy_allows_no_script_and_only_the_style_of_the_page(site: Site) -> None:
    policy = edition(site, CHINESE).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'sha256-" in policy
    assert "script" not in policy
    assert "unsafe" not in policy


def test_a_browser_that_has_the_page_is_not_sent_it_again(site: Site) -> None:
    first = edition(site, CHINESE)
    again = site.get(str(first.url.path), **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert first.headers["cache-control"].startswith("public")


def test_a_page_that_was_made_is_served_without_the_ledger(site: Site) -> None:
    first = edition(site, CHINESE)
    site.ledger.close()
    Path(site.ledger.place).unlink()
    assert site.get(str(first.url.path)).text == first.text


def test_a_link_preview_gets_title_and_first_words(site: Site) -> None:
    page = edition(site, CHINESE).text
    assert '<meta property="og:title" content="2026.03.02 今日新闻">' in page
    assert '<meta property="og:description" content="今天有两件大事。">' in page


def test_the_publisher_and_the_postal_address_stand_below(site: Site) -> None:
    page = edition(site, CHINESE).text
    assert "The Daily &amp; Co" in page
    assert "1 Example Street" in page


@pytest.mark.parametrize("source", ["", "No front matter, only prose.\n", "---\ntitle: x\n---\n"])
def test_an_edition_without_items_is_a_page_too(site: Site, source: str) -> None:
    assert edition(site, source).status_code == 200


def test_text_written_from_right_to_left_is_set_so(site: Site) -> None:
    source = "---\ntitle: أخبار اليوم\nlanguage: ar\n---\n\nنص المقدمة الطويل باللغة العربية هنا.\n"
    assert 'dir="rtl"' in edition(site, source).text
