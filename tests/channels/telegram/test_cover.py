"""The cover photo: rendered, uploaded once, and its title corrected in place."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from pydantic import SecretStr, ValidationError

from channels.base import Connection, Fault, Part, Recipient, Verdict
from channels.optional import AmendingConnection
from channels.telegram import CHANNEL
from channels.telegram.account import TelegramAccount
from tests.channels.telegram.editions import edition, item, paragraph, rendered
from tests.channels.telegram.judge import read
from tests.support.platforms import Platforms, platforms


@pytest.fixture
def cover(tmp_path: Path) -> Path:
    stream = io.BytesIO()
    Image.new("RGB", (320, 180), "#0b5fa5").save(stream, "PNG")
    path = tmp_path / "cover.png"
    path.write_bytes(stream.getvalue())
    return path


@pytest.fixture
def telegram(tmp_path: Path) -> Iterator[Platforms]:
    with platforms(tmp_path / "platforms") as running:
        yield running


@pytest.fixture
def connection(telegram: Platforms, cover: Path) -> Iterator[Connection]:
    opened = CHANNEL.connect(bot(cover, telegram.environment["DISTRIBUTOR_ACCOUNTS_BOT_BASE_URL"]))
    yield opened
    opened.close()


def bot(cover: Path, base_url: str = "http://127.0.0.1:1/bot") -> TelegramAccount:
    return TelegramAccount(
        name="b", channel="telegram", token=SecretStr("1:a"), base_url=base_url, cover=cover
    )


def parts(cover: Path, title: str = "每日要闻", tag: str = "AI") -> tuple[Part, ...]:
    given = edition((item(1),), title=title, intro=(paragraph("导语。"),), categories=(tag,))
    return rendered(given, cover=cover).parts


def test_the_photo_has_title_and_hashtags_and_the_text_goes_on(cover: Path) -> None:
    photo, text = parts(cover)
    assert photo.payload["method"] == "sendPhoto"
    assert read(photo.payload["caption"]).text == "每日要闻\n#AI"
    assert read(text.payload["text"]).text.startswith("导语。\n\n1. 标题")
    assert [part.payload.get("disable_notification", False) for part in (photo, text)] == [
        False,
        True,
    ]


def test_a_title_too_long_for_a_caption_leaves_its_hashtags_out(cover: Path) -> None:
    caption = read(parts(cover, "长" * 3000, "标签" * 30)[0].payload["caption"]).text
    assert len(caption) <= 1024
    assert "#" not in caption


def test_the_photo_is_uploaded_once_and_everybody_sees_it(
    telegram: Platforms, connection: Connection, cover: Path
) -> None:
    for chat in ("42", "43"):
        accepted: tuple[str, ...] = ()
        for part in parts(cover):
            outcome = connection.deliver(part, Recipient(chat, "x", accepted=accepted))
            assert outcome.verdict is Verdict.SENT
            accepted += (str(outcome.message_id),)
    first, _, second, _ = (message["body"] for message in telegram.received("telegram"))
    assert first["photo"] == second["photo"]
    assert first["photo"][0]["width"] == 320
    assert second["caption"] == "每日要闻\n#AI"


def test_its_title_is_corrected_in_place(
    telegram: Platforms, connection: Connection, cover: Path
) -> None:
    to = Recipient("42", "x")
    message_id = connection.deliver(parts(cover)[0], to).message_id
    assert isinstance(connection, AmendingConnection)
    assert message_id is not None
    codes = [connection.amend(parts(cover, "更正")[0], to, message_id).code for _ in range(2)]
    assert codes == ["amended", "unchanged"]
    assert telegram.received("telegram")[0]["body"]["caption"] == "更正\n#AI"


def test_a_cover_that_is_gone_fails_nobody(connection: Connection, cover: Path) -> None:
    cover.unlink()
    outcome = connection.deliver(parts(cover)[0], Recipient("42", "x"))
    assert (outcome.verdict, outcome.fault) == (Verdict.RETRYING, Fault.ACCOUNT)
    assert str(cover) in outcome.reply


@pytest.mark.parametrize(("content", "advice"), [(b"GIF89a", "PNG or JPEG"), (None, "No such")])
def test_a_cover_has_to_be_a_picture(tmp_path: Path, content: bytes | None, advice: str) -> None:
    path = tmp_path / "cover"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValidationError, match=advice):
        bot(path)
