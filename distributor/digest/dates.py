"""Dates as people and programs write them, in front matter, titles and file names."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

#: Zone of a date that names none, by language; any other language gets UTC.
_ZONES = {"zh": "Asia/Shanghai"}
#: Years that an edition can have; anything else is a slip of the pen.
_FIRST_YEAR, _LAST_YEAR = 1970, 9998

_WRITTEN = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d{2})"
    r"(?:\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})(?!\d)(?:\s*日)?"
    r"|(?P<packed_month>[01]\d)(?P<packed_day>[0-3]\d)(?!\d))"
    r"(?:\s*[T.\s]\s*(?P<hour>[0-2]\d)(?![\d年])(?::?(?P<minute>[0-5]\d)(?!\d))?"
    r"(?::(?P<second>[0-5]\d))?)?"
)
_SPACE_BEFORE_OFFSET = re.compile(r"\s+(?=[+-]\d{2}:?\d{2}$|Z$)")
_FRACTION = re.compile(r"(?<=\.)(\d{1,6})\d*")


def zone_for(language: str) -> tzinfo:
    """The zone of a date without one: Asia/Shanghai for Chinese, UTC for other languages."""
    name = _ZONES.get(language.split("-", maxsplit=1)[0])
    return ZoneInfo(name) if name else UTC


def parse_date(text: str, zone: tzinfo) -> datetime | None:
    """The moment that the whole of `text` names, exact to the fraction it gives, or None.

    Understands ISO 8601, RFC 5322, `2025/05/24 09:16`, `2025.05.24` and `2025年5月24日`. A zone in
    the text is kept; `zone` stands in where there is none.
    """
    stripped = text.strip()
    for parse in (_iso, parsedate_to_datetime, _written):
        try:
            moment = parse(stripped)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        if moment and _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            return moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return None


def find_date(text: str, zone: tzinfo) -> datetime | None:
    """The first date written anywhere in `text`, such as a title or a file name, or None.

    `tech__20251203T08.md` and `2025.12.03.08 …` name the hour too.
    """
    moment = _written(text)
    return moment.replace(tzinfo=zone) if moment else None


def _iso(text: str) -> datetime:
    compact = _FRACTION.sub(r"\1", _SPACE_BEFORE_OFFSET.sub("", text))
    return datetime.fromisoformat(compact)


def _written(text: str) -> datetime | None:
    for match in _WRITTEN.finditer(text):
        part = {name: int(digits) for name, digits in match.groupdict(default="0").items()}
        try:
            return datetime(
                part["year"],
                part["month"] or part["packed_month"],
                part["day"] or part["packed_day"],
                part["hour"],
                part["minute"],
                part["second"],
            )
        except ValueError:
            continue
    return None
