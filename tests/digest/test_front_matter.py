from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from distributor.digest.dates import find_date, parse_date
from distributor.digest.model import Digest
from distributor.digest.reader import read

CHINA = timezone(timedelta(hours=8))


def _read(text: str, name: str = "post.md") -> Digest:
    return read(text.encode(), name)


def test_yaml_fields_are_read() -> None:
    digest = _read('---\ntitle: "标题"\ncategories: ["AI", "芯片"]\ndraft: true\n---\n正文')

    assert digest.title == "标题"
    assert digest.categories == ("AI", "芯片")
    assert digest.draft


@pytest.mark.parametrize(
    "text",
    [
        '+++\ntitle = "T"\ndate = 2025-01-02T03:04:05Z\ntags = ["a"]\n+++\nbody',
        '{"title": "T", "date": "2025-01-02T03:04:05Z", "tags": ["a"]}\n\nbody',
        '---json\n{"title": "T", "date": "2025-01-02T03:04:05Z", "tags": ["a"]}\n---\nbody',
        '---toml\ntitle = "T"\ndate = 2025-01-02T03:04:05Z\ntags = ["a"]\n---\nbody',
        '---\nTitle: T\nDate: "2025-01-02T03:04:05Z"\nTags: a\n---\nbody',
    ],
)
def test_toml_and_json_say_the_same_as_yaml(text: str) -> None:
    digest = _read(text)

    assert (digest.title, digest.categories) == ("T", ("a",))
    assert digest.date == datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_malformed_yaml_is_read_line_by_line_with_a_warning() -> None:
    digest = _read("---\ntitle: 速报: 第一期\nbad: [\ncategories:\n- x\n- y\n---\n正文")

    assert digest.title == "速报: 第一期"
    assert digest.categories == ("x", "y")
    assert [w.code for w in digest.warnings] == ["front-matter"]


def test_front_matter_that_is_never_closed_ends_with_its_last_field() -> None:
    digest = _read("---\ntitle: 标题\n\n1. [甲](https://a.cn)\n")

    assert (digest.title, len(digest.items)) == ("标题", 1)


def test_a_rule_at_the_top_is_no_front_matter() -> None:
    assert "第一段" in _read("---\n\n第一段\n\n---\n\n第二段").title


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2025-05-24T09:16:18.418+08:00", datetime(2025, 5, 24, 9, 16, 18, 418000, CHINA)),
        ("2025-05-24 09:16:18 +0800", datetime(2025, 5, 24, 9, 16, 18, tzinfo=CHINA)),
        ("Sat, 24 May 2025 09:16:18 +0800", datetime(2025, 5, 24, 9, 16, 18, tzinfo=CHINA)),
        ("2025-05-24T01:16:18Z", datetime(2025, 5, 24, 1, 16, 18, tzinfo=UTC)),
        ("2025/05/24 09:16", datetime(2025, 5, 24, 9, 16, tzinfo=UTC)),
        ("2025年5月24日", datetime(2025, 5, 24, tzinfo=UTC)),
        ("20250524", datetime(2025, 5, 24, tzinfo=UTC)),
        ("24 במאי 2025", datetime(2025, 5, 24, tzinfo=UTC)),
        ("24 מאי 2025", datetime(2025, 5, 24, tzinfo=UTC)),
        ("٢٤ مايو ٢٠٢٥", datetime(2025, 5, 24, tzinfo=UTC)),
        ("۲۴ آوریل ۲۰۲۵", datetime(2025, 4, 24, tzinfo=UTC)),
    ],
)
def test_dates_in_many_forms(written: str, moment: datetime) -> None:
    assert parse_date(written, UTC) == moment


@pytest.mark.parametrize("written", ["", "soon", "2025-13-45", "0001-01-01", "99999999"])
def test_what_is_no_date_gives_none(written: str) -> None:
    assert parse_date(written, UTC) is None


def test_a_file_name_can_tell_day_and_hour() -> None:
    assert find_date("tech__20251203T08", UTC) == datetime(2025, 12, 3, 8, tzinfo=UTC)
    assert find_date("2025-12-03-weekly", UTC) == datetime(2025, 12, 3, tzinfo=UTC)


def test_a_hebrew_title_names_its_date_and_a_year_of_another_calendar_is_none() -> None:
    assert _read("# עדכון שבועי - 5 במרץ 2024\n\nטקסט").date == datetime(2024, 3, 5, tzinfo=UTC)
    assert _read("# خبرنامه ۱۴۰۳/۰۲/۱۰\n\nمتن", "x.md").date is None


def test_a_date_without_zone_is_in_china_for_chinese_and_utc_for_others() -> None:
    chinese = _read("---\ndate: 2025-05-24\n---\n今天的新闻")
    english = _read("---\ndate: 2025-05-24\n---\nNews of the day")

    assert chinese.date == datetime(2025, 5, 24, tzinfo=CHINA)
    assert english.date == datetime(2025, 5, 24, tzinfo=UTC)


def test_without_a_date_the_title_and_then_the_file_name_are_asked() -> None:
    assert _read("# 2025.05.24 速递\n\n正文", "20200101.md").date == datetime(
        2025, 5, 24, tzinfo=CHINA
    )
    assert _read("# 速递\n\n正文", "20200101.md").date == datetime(2020, 1, 1, tzinfo=CHINA)
