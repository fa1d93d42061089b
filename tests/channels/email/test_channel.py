"""The channel as the rest of the program meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import html5lib
import pytest

from channels import registry
from channels.base import Account, Channel, Edition
from channels.email import CHANNEL
from channels.email.account import EmailAccount
from distributor.templating import Templates
from tests.channels.email.conftest import account_for, chinese_digest, edition_of


def test_is_found_by_its_name() -> None:
    channel: Channel = registry.get("email")

    assert channel.name == "email"
    assert channel.account_type is EmailAccount


def test_an_address_is_shown_as_it_is() -> None:
    assert CHANNEL.show_address("reader@example.net") == "reader@example.net"


def test_the_payload_can_be_kept_as_json(edition: Edition) -> None:
    payload = CHANNEL.render(edition, account_for()).parts[0].payload

    assert json.loads(json.dumps(payload)) == payload


def test_the_preview_shows_the_mail_its_html_and_its_text(edition: Edition) -> None:
    files = CHANNEL.preview(edition, account_for())

    assert set(files) == {"email.eml", "email.html", "email.txt"}
    message = message_from_bytes(files["email.eml"], policy=policy.default)
    assert message["To"] == "reader@example.net"
    for name in ("email.html", "email.txt"):
        assert "https://news.example.org/unsubscribe/preview" in files[name].decode()


def with_templates(edition: Edition, folder: Path, **templates: str) -> Edition:
    """`edition` with templates of the operator's own, by the first word of their names."""
    (folder / "email").mkdir()
    for name, template in templates.items():
        suffix = "html" if name == "digest_html" else "txt"
        file = folder / "email" / f"{name.partition('_')[0]}.{suffix}.j2"
        file.write_text(template, encoding="utf-8")
    return replace(edition, templates=Templates(folder))


def test_the_preview_for_a_reader_shows_what_is_theirs(edition: Edition, tmp_path: Path) -> None:
    own = with_templates(
        edition,
        tmp_path,
        subject="{{ marks.name('you') }}: {{ digest.title }}",
        digest_txt="News from {{ marks.attribute('city', 'everywhere') }}",
    )

    known = CHANNEL.preview_for(own, account_for(), "Ann", {"city": "Oslo"})
    unknown = CHANNEL.preview(own, account_for())

    def subject(files: Mapping[str, bytes]) -> str:
        return str(message_from_bytes(files["email.eml"], policy=policy.default)["Subject"])

    assert subject(known) == f"Ann: {edition.digest.title}"
    assert subject(unknown) == f"you: {edition.digest.title}"
    assert known["email.txt"] == b"News from Oslo"
    assert unknown["email.txt"] == b"News from everywhere"


def test_values_in_links_of_an_own_template_are_safe(edition: Edition, tmp_path: Path) -> None:
    own = with_templates(
        edition,
        tmp_path,
        digest_html="""<html><body><p>
            <a href="https://x.example/?u={{ marks.attribute('uid') }}">1</a>
            <a href='{{ marks.attribute("site", "https://y.example/") }}'>2</a>
            </p></body></html>""",
    )

    files = CHANNEL.preview_for(
        own, account_for(), "", {"uid": "a&b=c d#z", "site": "javascript:alert(1)"}
    )

    links = html5lib.parse(files["email.html"].decode(), namespaceHTMLElements=False).iter("a")
    assert [link.attrib["href"] for link in links] == [
        "https://x.example/?u=a%26b%3Dc%20d%23z",
        "https://y.example/",
    ]


def test_a_preview_of_the_same_edition_is_the_same(edition: Edition) -> None:
    assert CHANNEL.preview(edition, account_for()) == CHANNEL.preview(edition, account_for())


def test_an_undated_edition_can_be_previewed() -> None:
    files = CHANNEL.preview(edition_of(chinese_digest(date=None)), account_for())

    assert message_from_bytes(files["email.eml"])["Date"]


def test_an_account_of_another_channel_is_refused() -> None:
    with pytest.raises(TypeError, match="not for email"):
        CHANNEL.connect(Account(name="bot", channel="telegram"))


def test_importing_the_channel_loads_nothing_heavy() -> None:
    code = "import sys, channels.email; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert not {"premailer", "requests", "lxml", "cssutils", "aiosmtpd"} & set(loaded)
