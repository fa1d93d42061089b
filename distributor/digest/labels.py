"""The few words that this channel adds to an edition, in the edition's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Labels:
    """Everything a reader sees that is not from the digest."""

    commentary: str
    links: str
    untitled: str
    #: Between a label and what it labels.
    colon: str
    #: With `count`.
    stories: str
    #: With `count`: stories that are not shown here.
    more: str
    #: What leads to the whole edition.
    full: str
    #: Beside a QR code that leads there.
    scan: str
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


_CHINESE = Labels(
    commentary="点评",
    links="参考链接",
    untitled="无题",
    colon="：",
    stories="{count} 条新闻",
    more="另有 {count} 条",
    full="全文",
    scan="扫码阅读全文",
    day="{year} 年 {month} 月 {day} 日　{weekday}",
    month="{year} 年 {month} 月 · {weekday}",
    weekdays=("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
)
_ENGLISH = Labels(
    commentary="Commentary",
    links="Links",
    untitled="Untitled",
    colon=": ",
    stories="Stories: {count}",
    more="and {count} more",
    full="Full text",
    scan="Scan to read it all",
    day="{weekday}, {year}-{month:02}-{day:02}",
    month="{weekday} · {year}-{month:02}",
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
)


def labels_for(language: str) -> Labels:
    """The words for a BCP 47 tag: Chinese for `zh` in any form, English for all others."""
    return _CHINESE if language.lower().split("-")[0] == "zh" else _ENGLISH
