"""The few words that this channel adds to an edition, in the edition's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Words:
    """Everything a reader sees that is not from the digest."""

    commentary: str
    links: str
    untitled: str
    #: Between a label and what it labels.
    colon: str
    #: With `count`.
    stories: str
    #: With `year`, `month`, `day` and `weekday`; so is the next.
    day: str
    #: What stands below the number of the day on a cover.
    month: str
    #: Monday first.
    weekdays: tuple[str, ...]

    def date(self, moment: datetime) -> str:
        """The day of `moment` as people write it."""
        return self._fill(self.day, moment)

    def month_of(self, moment: datetime) -> str:
        """Month and weekday of `moment`, to stand below the number of its day."""
        return self._fill(self.month, moment)

    def _fill(self, pattern: str, moment: datetime) -> str:
        return pattern.format(
            year=moment.year,
            month=moment.month,
            day=moment.day,
            weekday=self.weekdays[moment.weekday()],
        )


_CHINESE = Words(
    commentary="点评",
    links="参考链接",
    untitled="无题",
    colon="：",
    stories="{count} 条新闻",
    day="{year} 年 {month} 月 {day} 日　{weekday}",
    month="{year} 年 {month} 月 · {weekday}",
    weekdays=("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
)
_ENGLISH = Words(
    commentary="Commentary",
    links="Links",
    untitled="Untitled",
    colon=": ",
    stories="Stories: {count}",
    day="{weekday}, {year}-{month:02}-{day:02}",
    month="{weekday} · {year}-{month:02}",
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
)


def words_for(language: str) -> Words:
    """The words for a BCP 47 tag: Chinese for `zh` in any form, English for all others."""
    return _CHINESE if language.lower().split("-")[0] == "zh" else _ENGLISH
