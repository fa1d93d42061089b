"""The few words that an email adds to a digest, in the digest's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from distributor.digest.model import direction_of


@dataclass(frozen=True, slots=True)
class Words:
    """One language's wording. `{reader}` and `{publisher}` are filled in by the templates."""

    #: Of these words themselves, which may differ from the digest's language.
    language: str
    view_online: str
    commentary: str
    image: str
    #: Said where the email has less than the edition, and the link to all of it.
    shortened: str
    read_all: str
    #: Above the titles of `{count}` stories that are not there in full, after others that are and
    #: without any; and how many of them have no title there either.
    more: str
    titles_only: str
    unlisted: str
    #: Before the value of a table's column, where a phone shows one under the other.
    labelled: str
    why: str
    unsubscribe: str
    list_separator: str
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    date: str

    @property
    def direction(self) -> str:
        """Of these words; inside a text of the other direction they need it said."""
        return direction_of(self.language)

    def day(self, moment: datetime) -> str:
        """The calendar day of `moment` in its own time zone, for a person to read."""
        return self.date.format(
            year=moment.year,
            month=self.months[moment.month - 1],
            day=moment.day,
            weekday=self.weekdays[moment.weekday()],
        )


_CHINESE = Words(
    language="zh-CN",
    view_online="在浏览器中阅读",
    commentary="点评",
    image="图片",
    shortened="这一期较长，邮件里只放得下一部分。",
    read_all="阅读全文",
    more="另有 {count} 条",
    titles_only="共 {count} 条",
    unlisted="还有 {count} 条没有列出。",
    labelled="{label}：",
    why="这封邮件发给 {reader}，因为你订阅了 {publisher}。",
    unsubscribe="退订",
    list_separator="、",
    weekdays=tuple("一二三四五六日"),
    months=tuple(str(number) for number in range(1, 13)),
    date="{year} 年 {month} 月 {day} 日 · 星期{weekday}",
)

_ENGLISH = Words(
    language="en",
    view_online="Read in browser",
    commentary="Commentary",
    image="Image",
    shortened="This edition is long; the email holds a part of it.",
    read_all="Read all of it",
    more="{count} more",
    titles_only="{count} stories",
    unlisted="Not listed here: {count} more.",
    labelled="{label}: ",
    why="Sent to {reader} because you subscribed to {publisher}.",
    unsubscribe="Unsubscribe",
    list_separator=", ",
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    date="{weekday}, {day} {month} {year}",
)

_BY_LANGUAGE = {"zh": _CHINESE, "en": _ENGLISH}


def words_for(language: str) -> Words:
    """The wording for a BCP 47 tag; English where there is no better."""
    return _BY_LANGUAGE.get(language.partition("-")[0].lower(), _ENGLISH)
