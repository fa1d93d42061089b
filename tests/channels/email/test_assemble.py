"""The bytes of a message, read back with Python's own parser."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qs, urlsplit

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import AddressError
from channels.email.assemble import Assembler, Message
from channels.email.headers import HeaderError, clean
from channels.email.personal import Marks
from channels.email.render import render
from tests.channels.email.conftest import (
    account_for,
    chinese_digest,
    edition_of,
    paragraph,
    reader,
)

NOW = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)
ACCOUNT = account_for(from_name="开源日报", reply_to="editor@news.example.org")
ASSEMBLER = Assembler(ACCOUNT)
PAYLOAD = render(edition_of(chinese_digest())).parts[0].payload


def assemble(**changes: object) -> Message:
    return ASSEMBLER.assemble(PAYLOAD, reader(**changes), NOW)


def parse(message: Message) -> EmailMessage:
    parsed = message_from_bytes(message.content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    assert not [defect for part in parsed.walk() for defect in part.defects]
    return parsed


def body(message: Message, kind: str) -> str:
    part = parse(message).get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content


def test_carries_who_what_and_when() -> None:
    parsed = parse(assemble())

    assert parsed["From"] == "开源日报 <daily@news.example.org>"
    assert parsed["To"] == "王小明 <reader@example.net>"
    assert parsed["Reply-To"] == "editor@news.example.org"
    assert parsed["Subject"] == "2026.11.20 开源数据工具日报"
    assert parsed["Date"].datetime == NOW


def test_carries_what_bulk_mail_must() -> None:
    parsed = parse(assemble())

    assert parsed["Precedence"] == "bulk"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["List-Id"] == "开源日报 <relay.news.example.org>"
    assert parsed["MIME-Version"] == "1.0"


class TestListId:
    """Readers sort their mail by it, so each list has one that stays and is its own."""

    @staticmethod
    def list_id(list_name: str, **account: Any) -> str:
        payload = {**PAYLOAD, "list": list_name}
        assembler = Assembler(account_for(**account))
        value = str(parse(assembler.assemble(payload, reader(), NOW))["List-Id"])
        found = re.fullmatch(r".* <([a-z0-9-]{1,63})\.news\.example\.org>", value)
        assert found, value
        return found[1]

    def test_is_the_lists_name_whatever_account_sends(self) -> None:
        assert self.list_id("tech") == self.list_id("tech", name="other") == "tech"

    def test_is_the_accounts_name_for_several_lists_or_none(self) -> None:
        assert self.list_id("", name="Big Relay") == "big-relay"

    def test_comes_from_the_edition(self) -> None:
        edition = replace(edition_of(chinese_digest()), list_name="teen")

        payload = render(edition).parts[0].payload

        assert parse(ASSEMBLER.assemble(payload, reader(), NOW))["List-Id"] == (
            "开源日报 <teen.news.example.org>"
        )

    def test_names_that_look_alike_as_labels_are_told_apart(self) -> None:
        names = ["tech-news", "Tech News", "tech news", "日报", "周报", "list", "a" * 80, "a" * 90]

        assert len({self.list_id(name) for name in names}) == len(names)

    @settings(deadline=None, max_examples=50)
    @given(st.text(min_size=1, max_size=200))
    def test_any_name_makes_one_label_that_stays(self, name: str) -> None:
        assert self.list_id(name) == self.list_id(name)


def test_carries_what_mailbox_providers_look_for() -> None:
    parsed = parse(assemble())

    assert parsed["List-Help"] == "<mailto:editor@news.example.org>"
    assert parsed["Archived-At"] == "<https://news.example.org/editions/20261120>"
    assert parsed["Feedback-ID"] == f"{PAYLOAD['key'][:12]}:relay:digest:news-example-or"


def test_the_feedback_id_tells_no_readers_apart() -> None:
    one, other = assemble(identity="send-1"), assemble(identity="send-2", address="b@example.net")

    assert parse(one)["Feedback-ID"] == parse(other)["Feedback-ID"]


def test_every_header_stands_once() -> None:
    names = parse(assemble()).keys()

    assert sorted(names) == sorted(set(names))


def test_one_click_unsubscribe_stands_raw_on_one_line_however_long() -> None:
    url = "https://news.example.org/u/" + "t" * 400

    content = assemble(unsubscribe_url=url).content

    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in content
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in content


def test_without_an_unsubscribe_address_nothing_offers_to_unsubscribe() -> None:
    message = assemble(unsubscribe_url="")

    assert "List-Unsubscribe" not in parse(message)
    assert "List-Unsubscribe-Post" not in parse(message)
    assert "退订" not in body(message, "plain")
    assert "退订" not in body(message, "html")


def test_the_readers_own_unsubscribe_address_is_in_both_bodies() -> None:
    message = assemble(unsubscribe_url="https://news.example.org/u?a=1&b=2")

    assert "https://news.example.org/u?a=1&b=2" in body(message, "plain")
    assert 'href="https://news.example.org/u?a=1&amp;b=2"' in body(message, "html")


def test_text_comes_first_and_html_last() -> None:
    parsed = parse(assemble())

    assert parsed.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]


def test_the_bodies_are_those_of_the_rendering() -> None:
    message = assemble()

    assert PAYLOAD["key"] not in body(message, "plain") + body(message, "html")
    for kind in ("plain", "html"):
        assert "正文 3：查询更快，文件更小。" in body(message, kind)


def test_a_name_is_escaped_in_the_html() -> None:
    assert "&lt;b&gt;Bob&lt;/b&gt;" in body(assemble(name="<b>Bob</b>"), "html")


def test_a_reader_without_a_name_is_called_by_the_address() -> None:
    assert "发给 reader@example.net" in body(assemble(name=""), "plain")


class TestPersonalTemplates:
    """A template of the operator's own may address readers by name and by their attributes."""

    MARKS = Marks(PAYLOAD["key"])
    GREETING = f"你好，{MARKS.name('读者')}！{MARKS.attribute('city', '你那里')}今天"

    def greeted(self, kind: str = "plain", **changes: Any) -> str:
        payload = {**PAYLOAD, "text": self.GREETING, "html": f"<p>{self.GREETING}</p>"}
        return body(Assembler(ACCOUNT).assemble(payload, reader(**changes), NOW), kind).strip()

    def test_values_stand_where_the_marks_were(self) -> None:
        assert self.greeted(attributes={"city": "上海"}) == "你好，王小明！上海今天"

    def test_who_has_no_value_gets_the_default(self) -> None:
        assert self.greeted(name="") == "你好，读者！你那里今天"

    def test_values_are_text_and_nothing_else(self) -> None:
        page = self.greeted("html", name="<script>x</script>", attributes={"city": "a\r\nb"})

        assert page == "<p>你好，&lt;script&gt;x&lt;/script&gt;！a b今天</p>"

    def linked(self, href: str, **attributes: str) -> str:
        """The address of the one link in an HTML body, as a browser would follow it."""
        payload = {**PAYLOAD, "html": f'<p>Hello <a class="link" href="{href}">there</a></p>'}
        message = Assembler(ACCOUNT).assemble(payload, reader(attributes=attributes), NOW)
        (link,) = html5lib.parse(body(message, "html"), namespaceHTMLElements=False).iter("a")
        address: str = link.attrib["href"]
        return address

    @pytest.mark.parametrize("is_marked_as_url", [False, True])
    def test_a_value_within_a_link_is_one_value_whatever_is_in_it(
        self, is_marked_as_url: bool
    ) -> None:
        mark = self.MARKS.attribute("uid", url=is_marked_as_url)

        address = self.linked(f"https://x.example/?u={mark}&amp;v=1", uid='a&b=c d#z%"é')

        assert parse_qs(urlsplit(address).query) == {"u": ['a&b=c d#z%"é'], "v": ["1"]}

    def test_a_value_may_be_a_whole_web_or_mail_address(self) -> None:
        for url in ("https://例子.example/a?b=1&c=<2>", "mailto:a@example.net"):
            assert self.linked(self.MARKS.attribute("site"), site=url) == url

    @pytest.mark.parametrize(
        "value", ["javascript:alert(1)", " JavaScript:x", "data:text/html,x", "//x.example", "x"]
    )
    def test_a_value_that_is_no_such_address_gives_way_to_the_default(self, value: str) -> None:
        site = self.MARKS.attribute("site", "https://home.example/")

        assert self.linked(site, site=value) == "https://home.example/"
        assert self.linked(self.MARKS.attribute("site"), site=value) == ""
        assert self.linked(f" {self.MARKS.attribute('site')}/about", site=value) == " /about"

    def test_a_value_beside_a_link_is_text(self) -> None:
        payload = {**PAYLOAD, "html": f'<a href="https://x.example/">{self.MARKS.name("")}</a>'}

        message = Assembler(ACCOUNT).assemble(payload, reader(name="A & B"), NOW)

        assert body(message, "html").strip() == '<a href="https://x.example/">A &amp; B</a>'

    def test_a_link_in_the_text_part_asks_for_percent_encoding(self) -> None:
        text = f"https://x.example/?u={self.MARKS.attribute('uid', 'a b', url=True)}"
        payload = {**PAYLOAD, "text": text}

        def written(**attributes: str) -> str:
            message = Assembler(ACCOUNT).assemble(payload, reader(attributes=attributes), NOW)
            return body(message, "plain").strip()

        assert written(uid="a&b#c") == "https://x.example/?u=a%26b%23c"
        assert written() == "https://x.example/?u=a%20b"

    def test_a_value_that_looks_like_a_mark_stays_what_it_is(self) -> None:
        assert self.greeted(name=self.MARKS.unsubscribe_url) == (
            f"你好，{self.MARKS.unsubscribe_url}！你那里今天"
        )

    def test_a_value_without_end_is_cut(self) -> None:
        assert len(self.greeted(attributes={"city": "长" * 10_000})) < 600


class TestPersonalSubject:
    MARKS = Marks(PAYLOAD["key"])

    def subject(self, template: str, **changes: Any) -> str:
        payload = {**PAYLOAD, "subject": template}
        message = Assembler(ACCOUNT).assemble(payload, reader(**changes), NOW)
        return str(parse(message)["Subject"])

    def test_names_the_reader_or_the_default(self) -> None:
        template = f"{self.MARKS.name('读者')}，{self.MARKS.attribute('city', '各地')}的新闻"

        assert self.subject(template, attributes={"city": "上海"}) == "王小明，上海的新闻"
        assert self.subject(template, name="") == "读者，各地的新闻"

    def test_each_reader_gets_their_own_from_the_same_assembler(self) -> None:
        payload = {**PAYLOAD, "subject": f"For {self.MARKS.name('you')}"}
        assembler = Assembler(ACCOUNT)

        subjects = [
            parse(assembler.assemble(payload, reader(name=name), NOW))["Subject"]
            for name in ("Ann", "Bob")
        ]

        assert subjects == ["For Ann", "For Bob"]

    @pytest.mark.parametrize("city", ["", " \n", "\u2028"])
    def test_is_the_title_where_nothing_is_left_of_it(self, city: str) -> None:
        template = self.MARKS.attribute("city")

        assert self.subject(template, attributes={"city": city}) == chinese_digest().title
        assert self.subject(template, attributes={"city": "上海"}) == "上海"

    @settings(deadline=None)
    @given(name=st.text(max_size=300), words=st.text(alphabet="新闻 😀a", max_size=300))
    def test_any_name_in_it_stays_inside_its_field(self, name: str, words: str) -> None:
        payload = {**PAYLOAD, "subject": f"{words} {self.MARKS.name('读者')}"}

        message = ASSEMBLER.assemble(payload, reader(name=name), NOW)

        assert sorted(parse(message).keys()) == sorted(parse(assemble()).keys())
        head = message.content.partition(b"\r\n\r\n")[0]
        subject = head[head.index(b"\r\nSubject: ") + 2 :]
        field = re.split(rb"\r\n(?! )", subject)[0]
        assert all(len(line) <= 76 for line in field.split(b"\r\n"))
        shown = str(make_header(decode_header(field.decode()[len("Subject: ") :])))
        assert shown == clean(f"{words} {clean(name) or '读者'}")


def test_a_retry_is_the_same_message_to_the_byte() -> None:
    assert assemble() == Assembler(ACCOUNT).assemble(PAYLOAD, reader(), NOW)


def test_each_delivery_has_its_own_message_id_and_boundary() -> None:
    one, other = assemble(identity="send-1"), assemble(identity="send-2")

    assert one.message_id == "<send-1@news.example.org>"
    assert parse(one)["Message-ID"] == one.message_id
    assert parse(one).get_boundary() != parse(other).get_boundary()


def test_renderings_may_take_turns() -> None:
    digest = chinese_digest(title="另一期", revision="other")
    other = render(edition_of(digest)).parts[0].payload

    first = assemble()
    second = ASSEMBLER.assemble(other, reader(), NOW)

    assert parse(second)["Subject"] == "另一期"
    assert assemble() == first


def test_asks_for_smtputf8_only_when_an_address_needs_it() -> None:
    assert not assemble().needs_smtputf8
    assert not assemble(address="reader@bücher.example").needs_smtputf8
    assert assemble(address="读者@example.net").needs_smtputf8


def test_refuses_an_address_that_is_none() -> None:
    with pytest.raises(AddressError):
        assemble(address="a@example.net\r\nBcc: b@example.net")


def test_refuses_an_identity_that_could_not_be_a_message_id() -> None:
    with pytest.raises(HeaderError, match="identity"):
        assemble(identity="a b@c>")


@settings(deadline=None)
@given(name=st.text(max_size=100), token=st.text(max_size=60), title=st.text(max_size=100))
def test_nothing_in_a_value_adds_a_header_or_a_part(name: str, token: str, title: str) -> None:
    payload = {**PAYLOAD, "subject": title}
    recipient = reader(name=name, unsubscribe_url="https://news.example.org/" + clean(token))

    message = ASSEMBLER.assemble(payload, recipient, NOW)

    parsed = parse(message)
    assert sorted(parsed.keys()) == sorted(parse(assemble()).keys())
    assert len(list(parsed.iter_parts())) == 2
    assert [address.addr_spec for address in parsed["To"].addresses] == ["reader@example.net"]


@settings(deadline=None)
@given(st.text(max_size=3000))
def test_no_line_is_longer_than_998_octets_and_the_text_survives(text: str) -> None:
    words = clean(text)
    payload = {**PAYLOAD, "text": words}

    message = ASSEMBLER.assemble(payload, reader(), NOW)

    assert all(len(line) <= 998 for line in message.content.split(b"\r\n"))
    assert b"\n" not in message.content.replace(b"\r\n", b"")
    assert body(message, "plain").rstrip("\n") == words


def test_a_digest_cannot_speak_in_marks() -> None:
    digest = chinese_digest(intro=(paragraph("{{ unsubscribe_url }} %unsubscribe-url%"),))

    message = ASSEMBLER.assemble(render(edition_of(digest)).parts[0].payload, reader(), NOW)

    assert "{{ unsubscribe_url }} %unsubscribe-url%" in body(message, "plain")
