"""The pages that show what subscribers would see."""

from __future__ import annotations

from pathlib import Path

import html5lib
import pytest
import requests

from distributor.sandbox.local_pictures import LocalPictures
from distributor.sandbox.snapshot import snapshot
from distributor.sandbox.telegram_view import formatted
from tests.sandbox.conftest import KEY, Client, letter

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def page(client: Client, path: str) -> requests.Response:
    reply = client.get(path)
    assert reply.status_code == 200
    html5lib.HTMLParser(strict=True).parse(reply.text)
    return reply


@pytest.mark.parametrize("path", ["/", "/mail", "/telegram", "/wecom"])
def test_an_empty_page_says_how_to_fill_it(client: Client, path: str) -> None:
    text = page(client, path).text
    assert "make demo" in text
    assert "distributor send FILE --list NAME" in text


@pytest.mark.parametrize("path", ["/", "/mail", "/telegram", "/wecom"])
def test_a_page_runs_and_loads_nothing(client: Client, path: str) -> None:
    reply = page(client, path)
    policy = reply.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy
    assert "<script" not in reply.text


def test_nothing_received_becomes_markup(client: Client) -> None:
    client.mail(letter(subject=HOSTILE))
    client.say(HOSTILE, chat_id="@daily_digest")
    client.robot(msgtype="markdown", markdown={"content": HOSTILE})
    client.robot(msgtype="text", text={"content": HOSTILE})
    client.robot(
        msgtype="news", news={"articles": [{"title": HOSTILE, "url": "https://example.org/"}]}
    )
    for path in ("/", "/mail", "/telegram", "/wecom"):
        text = page(client, path).text
        assert "<script" not in text
        assert "<img" not in text


def test_the_inbox_lists_the_newest_mail_first(client: Client) -> None:
    for number in range(3):
        client.mail(letter(to=f"reader{number}@example.com", message_id=f"<{number}@e.org>"))
    text = page(client, "/mail").text
    assert text.index("reader2@") < text.index("reader1@") < text.index("reader0@")


def test_the_inbox_turns_pages_and_finds_an_address(client: Client) -> None:
    with client.smtp() as smtp:
        for number in range(51):
            smtp.send_message(letter(to=f"reader{number}@example.com"))
    assert "1 of 2" in page(client, "/mail").text
    assert "reader0@example.com" in page(client, "/mail?page=2").text
    found = page(client, "/mail?q=reader50@").text
    assert "reader50@example.com" in found
    assert "reader49@example.com" not in found


def test_a_mail_shows_its_text_part_and_headers(client: Client) -> None:
    client.mail(letter())
    text = page(client, "/mail/1").text
    assert "正文的纯文本" in text
    assert "Message-ID: &lt;edition-1@example.org&gt;" in text


def test_a_mail_is_framed_so_that_it_can_do_nothing(client: Client) -> None:
    client.mail(letter(html=f"<html><head></head><body>{HOSTILE}</body></html>"))
    frame = page(client, "/mail/1").text.partition("<iframe")[2].partition(">")[0]
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame
    body = client.get("/mail/1/body")
    policy = body.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "allow-scripts" not in policy


def test_pictures_inside_a_mail_are_shown(client: Client) -> None:
    message = letter(html='<img src="cid:cover@example.org" alt="">')
    _, related = message.iter_parts()
    related.add_related(b"\x89PNG", "image", "png", cid="<cover@example.org>")
    client.mail(message)
    assert 'src="data:image/png;base64,iVBORw=="' in client.get("/mail/1/body").text


def test_a_mail_that_is_not_there_is_not_found(client: Client) -> None:
    assert client.get("/mail/7").status_code == 404


def test_a_telegram_chat_shows_entities_not_markup(client: Client) -> None:
    client.say(
        '<b>要闻</b>\n<blockquote expandable>摘要</blockquote>\n<a href="https://e.org/?a=1&amp;b=2">'
        "全文</a>",
        chat_id="@daily_digest",
        parse_mode="HTML",
        reply_markup={"inline_keyboard": [[{"text": "网页版", "url": "https://e.org/web"}]]},
    )
    text = page(client, "/telegram").text
    assert "<b>要闻</b>" in text
    assert '<blockquote class="fold">' in text
    assert 'href="https://e.org/?a=1&amp;b=2"' in text
    assert 'href="https://e.org/web"' in text


def test_chats_stand_beside_each_other(client: Client) -> None:
    client.say("to one", chat_id=41)
    client.say("to another", chat_id=42)
    text = page(client, "/telegram?chat=41").text
    assert "Reader 42" in text
    assert '<div class="words">to one</div>' in text
    assert '<div class="words">to another</div>' not in text


def test_what_the_platform_changed_is_pointed_out(client: Client) -> None:
    client.say("推出C.ai")
    client.robot(msgtype="news", news={"articles": [{"title": "标" * 50, "url": "https://e.org/"}]})
    assert "makes a link of" in page(client, "/telegram").text
    assert "was cut at 128 bytes" in page(client, "/wecom").text


def test_a_robots_key_is_never_shown(client: Client) -> None:
    client.robot(msgtype="text", text={"content": "hello"})
    for path in ("/", "/wecom"):
        assert KEY not in page(client, path).text


def test_a_picture_that_is_elsewhere_is_named_and_not_loaded(client: Client) -> None:
    article = {"title": "x", "url": "https://e.org/", "picurl": "https://cdn.example.org/a.png"}
    client.robot(msgtype="news", news={"articles": [article]})
    text = page(client, "/wecom").text
    assert "cdn.example.org" in text
    assert "a.png" not in text


def test_a_picture_of_an_edition_on_this_machine_is_shown_in_the_page(client: Client) -> None:
    known = LocalPictures()
    own = f"{client.sandbox.base_url}/editions/0123456789abcdef/card.png"
    assert known(own) == ""
    assert known("https://cdn.example.org/editions/0123456789abcdef/card.png") == ""
    assert known.fetch_wanted()
    assert not known.fetch_wanted()


def test_a_link_that_could_run_something_is_no_link() -> None:
    link = {"type": "text_link", "offset": 0, "length": 1, "url": "javascript:alert(1)"}
    assert "javascript" not in formatted("x", [link])


def test_entities_that_overlap_are_nested_properly() -> None:
    bold = {"type": "bold", "offset": 0, "length": 3}
    quote = {"type": "underline", "offset": 2, "length": 4}
    assert formatted("abcdef", [bold, quote]) == "<b>ab<u>c</u></b><u>def</u>"


def test_the_snapshot_is_one_file_that_needs_nothing(client: Client, tmp_path: Path) -> None:
    client.mail(letter(html=f"<p>信</p>{HOSTILE}"))
    client.say("<b>要闻</b>", parse_mode="HTML")
    client.robot(msgtype="text", text={"content": "群消息"})
    out = snapshot(client.folder, tmp_path / "deep" / "snapshot.html")
    text = out.read_text(encoding="utf-8")
    html5lib.HTMLParser(strict=True).parse(text)
    assert "<b>要闻</b>" in text
    assert "群消息" in text
    assert 'srcdoc="' in text
    assert "&lt;p&gt;信&lt;/p&gt;" in text
    assert "<script" not in text
    assert ' src="' not in text
    assert "default-src 'none'" in text


def test_a_snapshot_of_nothing_says_how_to_get_something(tmp_path: Path) -> None:
    text = snapshot(tmp_path / "box", tmp_path / "out.html").read_text(encoding="utf-8")
    assert "make demo" in text
