"""The bytes of a message, read back with Python's own parser."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

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

    def test_a_value_that_looks_like_a_mark_stays_what_it_is(self) -> None:
        assert self.greeted(name=self.MARKS.unsubscribe_url) == (
            f"你好，{self.MARKS.unsubscribe_url}！你那里今天"
        )

    def test_a_value_without_end_is_cut(self) -> None:
        assert len(self.greeted(attributes={"city": "长" * 10_000})) < 600


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
