"""Dates as people and programs write them, in front matter, titles and file names."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

#: Zone of a date that names none, by language; any other language gets UTC.
_ZONES = {"zh": "Asia/Shanghai", "ja": "Asia/Tokyo", "ko": "Asia/Seoul"}
#: Years that an edition can have; anything else is a slip of the pen.
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
#: How the names of the months begin in English, French, German, Spanish, Portuguese, Italian,
#: Russian, Arabic, Persian and Hebrew.
_MONTHS = (
    ("jan", "ene", "gen", "янв", "يناير", "ژانویه", "ינואר"),
    ("feb", "fév", "fev", "фев", "فبراير", "فوریه", "פברואר"),
    ("mar", "mär", "mrz", "мар", "مارس", "מרץ", "מרס"),
    ("apr", "avr", "abr", "апр", "أبريل", "ابريل", "آوریل", "אפריל"),
    ("may", "mai", "mag", "май", "мая", "مايو", "مه", "מאי"),
    ("jun", "juin", "giu", "июн", "يونيو", "ژوئن", "יוני"),
    ("jul", "juil", "lug", "июл", "يوليو", "ژوئیه", "יולי"),
    ("aug", "aoû", "aou", "ago", "авг", "أغسطس", "اغسطس", "اوت", "אוגוסט"),
    ("sep", "set", "сен", "سبتمبر", "سپتامبر", "ספטמבר"),
    ("oct", "okt", "out", "ott", "окт", "أكتوبر", "اكتوبر", "اکتبر", "אוקטובר"),
    ("nov", "ноя", "نوفمبر", "نوامبر", "נובמבר"),
    ("dec", "déc", "dez", "dic", "дек", "ديسمبر", "دسامبر", "דצמבר"),
)
_MONTHS_OF_A_YEAR = len(_MONTHS)
_MONTH_OF = {start: n for n, starts in enumerate(_MONTHS, start=1) for start in starts}
_LONGEST_FIRST = sorted(_MONTH_OF.items(), key=lambda entry: -len(entry[0]))
_MONTH_NAME = "(?:" + "|".join(start for start, _ in _LONGEST_FIRST) + r")[^\W\d_]{0,9}\.?"

#: The digits that Arabic and Persian write.
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")

_TIME = (
    r"(?:[T\s(（]{1,3}(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2}))?(?!\d)"
    r"|\s*[T.\s]\s*(?P<packed_hour>[0-2]\d)(?![\d年:])(?P<packed_minute>[0-5]\d)?(?![\d年]))?"
)
_NUMERIC = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d{2})"
    r"(?:\s{0,3}[-/._年년]\s{0,3}(?P<month>\d{1,2})\s{0,3}[-/._月월]\s{0,3}(?P<day>\d{1,2})(?!\d)"
    r"(?:\s{0,3}[日일])?"
    r"|(?P<packed_month>[01]\d)(?P<packed_day>[0-3]\d)(?!\d))" + _TIME
)
_NAMED = re.compile(
    rf"(?<!\w)(?:(?P<month>{_MONTH_NAME})\s{{1,3}}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s{{1,3}}"
    rf"|(?P<first_day>\d{{1,2}})(?:st|nd|rd|th|er|\.|º)?(?:\s{{1,3}}|-)(?:(?:de|of)\s|ב)?"
    rf"(?P<next_month>{_MONTH_NAME}),?(?:\s{{1,3}}|-)(?:de\s)?)(?P<year>(?:19|20)\d{{2}})(?!\d)"
    rf"|(?<!\d)(?P<first_year>(?:19|20)\d{{2}})[-_/ ](?P<middle_month>{_MONTH_NAME})[-_/ ]"
    r"(?P<last_day>\d{1,2})(?!\d)",
    re.IGNORECASE,
)
#: `24.12.2024`; where both could be months, only slashes put the month first.
_YEAR_LAST = re.compile(r"(?<![\d/.-])(\d{1,2})([-/.])(\d{1,2})\2((?:19|20)\d{2})(?!\d)")
_ISO = re.compile(r"\d{4}(-?)\d\d\1\d\d(?:[T ]\d.*)?")
_SPACE_BEFORE_OFFSET = re.compile(r"\s+(?=[+-]\d{2}:?\d{2}$|Z$)")
_FRACTION = re.compile(r"(?<=\.)(\d{1,6})\d*")


def zone_for(language: str) -> tzinfo:
    """The zone of a date without one: of its country where the language has one, else UTC."""
    name = _ZONES.get(language.split("-", maxsplit=1)[0])
    return ZoneInfo(name) if name else UTC


def parse_date(text: str, zone: tzinfo) -> datetime | None:
    """The moment that `text` names, exact to the fraction it gives, or None.

    Understands ISO 8601, RFC 5322, and whatever `find_date` finds. A zone in the text is kept;
    `zone` stands in where there is none.
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

    `2024/11/18`, `2025.05.24`, `2025年5月24日`, `20251203`, `Oct 5, 2019`, `8. März 2020`, with a
    time or without; `tech__20251203T08.md` and `2025.12.03.08 …` name the hour too.
    """
    moment = _written(text)
    return moment.replace(tzinfo=moment.tzinfo or zone) if moment else None


def _iso(text: str) -> datetime:
    if not _ISO.fullmatch(text):
        raise ValueError("no ISO 8601 date and time")
    compact = _FRACTION.sub(r"\1", _SPACE_BEFORE_OFFSET.sub("", text))
    return datetime.fromisoformat(compact)


def _written(text: str) -> datetime | None:
    plain = text.translate(_DIGITS)
    found = [moment for find in (_numeric, _named, _year_last) if (moment := find(plain))]
    return min(found, key=lambda one: one[0])[1] if found else None


def _numeric(text: str) -> tuple[int, datetime] | None:
    """Where the first date in digits stands, and the date."""
    for match in _NUMERIC.finditer(text):
        part = {name: int(digits) for name, digits in match.groupdict(default="0").items()}
        try:
            moment = datetime(
                part["year"],
                part["month"] or part["packed_month"],
                part["day"] or part["packed_day"],
                part["hour"] or part["packed_hour"],
                part["minute"] or part["packed_minute"],
                part["second"],
            )
        except ValueError:
            continue
        return match.start(), moment
    return None


def _year_last(text: str) -> tuple[int, datetime] | None:
    for match in _YEAR_LAST.finditer(text):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        month_first = second > _MONTHS_OF_A_YEAR or (match[2] == "/" and first <= _MONTHS_OF_A_YEAR)
        month, day = (first, second) if month_first else (second, first)
        try:
            return match.start(), datetime(year, month, day)
        except ValueError:
            continue
    return None


def _named(text: str) -> tuple[int, datetime] | None:
    """Where the first date with the name of a month stands, and the date."""
    for match in _NAMED.finditer(text):
        part = {name: words for name, words in match.groupdict().items() if words}
        name = _first_of(part, "month", "next_month", "middle_month").lower()
        month = next(n for start, n in _LONGEST_FIRST if name.startswith(start))
        day = int(_first_of(part, "day", "first_day", "last_day"))
        year = int(_first_of(part, "year", "first_year"))
        try:
            return match.start(), datetime(year, month, day)
        except ValueError:
            continue
    return None


def _first_of(part: dict[str, str], *names: str) -> str:
    return next(part[name] for name in names if name in part)
