"""The cover is a picture that the platform takes and that shows what it can show."""

import io

import pytest
from PIL import Image

from channels.base import Edition
from channels.wechat.cover import draw_cover, sans

from .editions import edition, item, paragraphs, stories

LONG = "关于人工智能产业发展与治理的若干重要动态以及值得关注的三个长期趋势" * 3


@pytest.mark.parametrize(
    "of",
    [
        edition(*stories(12)),
        edition(*(item(n, LONG) for n in range(1, 4)), title=LONG),
        edition(intro=paragraphs(LONG * 5), date=None),
        edition(title="🎉", intro=paragraphs("👋")),
        edition(*stories(1), title="2026.03.02.08 过去4小时", language="en"),
        edition(title="أخبار اليوم", language="ar"),
    ],
    ids=["stories", "long titles", "prose", "emoji only", "hourly", "other script"],
)
def test_cover_is_a_png_of_900_by_383_under_a_megabyte(of: Edition) -> None:
    cover = draw_cover(of)
    with Image.open(io.BytesIO(cover)) as image:
        assert (image.format, image.size) == ("PNG", (900, 383))
    assert len(cover) < 1_000_000


def test_same_edition_gives_the_same_picture() -> None:
    assert draw_cover(edition(*stories(3))) == draw_cover(edition(*stories(3)))


def test_headlines_are_in_the_picture() -> None:
    assert draw_cover(edition(item(1, "甲"))) != draw_cover(edition(item(1, "乙")))


def test_date_in_the_title_is_shown_once() -> None:
    assert draw_cover(edition(title="2026.03.02 新闻")) == draw_cover(edition(title="新闻"))


def test_nothing_is_drawn_on_the_margins() -> None:
    cover = draw_cover(edition(*(item(n, LONG) for n in range(1, 4)), title=LONG))
    with Image.open(io.BytesIO(cover)) as image:
        right = image.crop((900 - 40, 0, 900, 383))
        bottom = image.crop((8, 383 - 24, 900, 383))
        assert len(right.getcolors() or []) == 1
        assert len(bottom.getcolors() or []) == 1


def test_characters_that_the_font_lacks_are_left_out() -> None:
    assert sans(20).known("发布 🎉 新版 한글 v2") == "发布 新版 v2"
