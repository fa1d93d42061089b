"""Pictures that the platforms take and that show what they can show."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from PIL import Image

from distributor.digest.model import Block, Digest, Item, Paragraph, Text
from distributor.pictures import FIXED, Subject, draw
from distributor.pictures.face import sans
from distributor.pictures.foot import qr_code
from distributor.pictures.long import draw_long
from distributor.templating import Templates

LOOK = Templates().look["light"]
LONG = "关于人工智能产业发展与治理的若干重要动态以及值得关注的三个长期趋势" * 3


def prose(text: str) -> tuple[Block, ...]:
    return (Paragraph((Text(text),)),)


def subject(
    *titles: str,
    title: str = "2026.03.02 全球AI新闻速递",
    text: str = "它比上一代更快。",
    intro: str = "今天有三件大事。",
    date: datetime | None = datetime(2026, 3, 2, 9, tzinfo=UTC),
    language: str = "zh-CN",
) -> Subject:
    items = tuple(
        Item(number, (Text(one),), f"https://source.example/{number}", prose(text))
        for number, one in enumerate(titles, start=1)
    )
    digest = Digest("0" * 64, title, date, language, (), prose(intro), (), items, prose("都很快。"))
    return Subject(digest, "晨间简报", "https://news.example/editions/0123456789abcdef", LOOK)


SUBJECTS = {
    "stories": subject(*(f"第{n}条：新模型发布" for n in range(1, 13))),
    "long titles": subject(LONG, LONG, LONG, title=LONG),
    "prose": subject(intro=LONG * 5, date=None),
    "emoji only": subject(title="🎉", intro="👋"),
    "hourly": subject("A story", title="2026.03.02.08 过去4小时", language="en"),
    "other script": subject(title="أخبار اليوم", language="ar"),
    "fifty": subject(*(f"第{n}条" for n in range(1, 51))),
}
SIZES = {
    "cover.png": (900, 383),
    "thumb.png": (600, 600),
    "card.png": (1068, 455),
    "wide.png": (1280, 720),
}


def size(png: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        return image.size


@pytest.mark.parametrize("of", SUBJECTS.values(), ids=SUBJECTS)
def test_every_picture_has_its_size_and_is_under_a_megabyte(of: Subject) -> None:
    for name in FIXED:
        png = draw(name, of)
        assert size(png) == SIZES.get(name, size(png))
        assert len(png) < 1_000_000


def test_poster_is_tall_and_grows_with_its_headlines() -> None:
    few, many = size(draw("poster.png", subject("甲"))), size(draw("poster.png", SUBJECTS["fifty"]))
    assert few[0] == many[0] == 1080
    assert few[1] < many[1] < 2400


def test_same_edition_gives_the_same_bytes() -> None:
    for name in FIXED:
        assert draw(name, subject("甲")) == draw(name, subject("甲"))


def test_headlines_are_in_the_picture() -> None:
    assert draw("cover.png", subject("甲")) != draw("cover.png", subject("乙"))


def test_date_in_the_title_is_shown_once() -> None:
    stamped, plain = subject(title="2026.03.02 新闻"), subject(title="新闻")
    assert draw("cover.png", stamped) == draw("cover.png", plain)


def test_nothing_is_drawn_on_the_margins() -> None:
    cover = draw("cover.png", SUBJECTS["long titles"])
    with Image.open(io.BytesIO(cover)) as image:
        picture = image.convert("RGB")
        assert len(picture.crop((900 - 40, 0, 900, 383)).getcolors() or []) == 1
        assert len(picture.crop((8, 383 - 24, 900, 383)).getcolors() or []) == 1


def test_every_story_has_a_picture_and_a_tile() -> None:
    of = SUBJECTS["stories"]
    assert size(draw("story-12.png", of)) == (1068, 455)
    assert size(draw("tile-12.png", of)) == (300, 300)


@pytest.mark.parametrize("name", ["story-13.png", "tile-0.png", "other.png", "../cover.png"])
def test_picture_that_the_edition_has_not_is_an_error(name: str) -> None:
    with pytest.raises(KeyError):
        draw(name, SUBJECTS["stories"])


def test_characters_that_the_font_lacks_are_left_out() -> None:
    assert sans(20).known("发布 🎉 新版 한글 v2") == "发布 新版 v2"


def test_code_leads_to_the_web_edition() -> None:
    zxing = pytest.importorskip("zxingcpp")
    url = "https://news.example/editions/0123456789abcdef"
    [found] = zxing.read_barcodes(qr_code(url, 196, ink="#1f2328", paper="#fffefb"))
    assert found.text == url
    with Image.open(io.BytesIO(draw("poster.png", subject("甲")))) as poster:
        [found] = zxing.read_barcodes(poster.convert("RGB"))
    assert found.text == url


def test_long_picture_holds_the_whole_digest() -> None:
    picture = draw_long(SUBJECTS["stories"])
    assert picture.warnings == ()
    assert len(picture.png) < 2_000_000
    assert picture.png == draw_long(SUBJECTS["stories"]).png


def test_long_picture_of_a_huge_digest_keeps_titles_and_says_what_it_left_out() -> None:
    of = subject(*(f"第{n}条" for n in range(1, 13)), text="很长的正文。" * 150)
    picture = draw_long(of)
    assert picture.warnings == ("The picture holds 300 characters of each story's text.",)
    assert size(picture.png)[1] < 17_000


def test_text_direction_and_look_come_from_the_edition() -> None:
    dark = replace(SUBJECTS["stories"], look=Templates().look["dark"])
    assert draw("thumb.png", dark) != draw("thumb.png", SUBJECTS["stories"])


@pytest.mark.slow
def test_the_set_is_drawn_within_a_second_or_so() -> None:
    of = SUBJECTS["stories"]
    draw("poster.png", of)
    began = time.process_time()
    for name in FIXED:
        draw(name, of)
    assert time.process_time() - began < 3
