"""The cover of an edition's article: a picture of 900 × 383 pixels with its title and headlines.

Official Accounts crop covers to 2.35:1 and take JPG or PNG files under 1 MB.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import as_file, files
from itertools import islice

from PIL import Image, ImageDraw, ImageFont

from channels.base import Edition
from channels.wechat.content import edition_title, intro_text, item_title
from channels.wechat.text import graphemes, shorten, shorten_title
from channels.wechat.typesetting import balanced_lines, break_lines, narrow_marks, runs
from channels.wechat.words import words_for

WIDTH, HEIGHT = 900, 383

_MARGIN = 56
_TITLE_TOP = 48
#: The title's lines stay left of the date.
_DATE_WIDTH = 220
_TITLE_SIZES = (54, 46, 40, 34)
_TITLE_LINES = 2
_RULE_TOP = 192
_HEADLINES_TOP = 214
_HEADLINE_STEP = 42
_HEADLINES = 3

#: "2025.12.03 " or, for an edition of an hour, "2025.12.03.08 " before the title proper.
_STAMP = re.compile(r"^\d{4}[./-]\d{1,2}[./-]\d{1,2}(?:[./-](?P<hour>\d{2}))?\s+(?=\S)")


@dataclass(frozen=True)
class Face:
    """One of the shipped fonts in one size, in pixels."""

    file: str
    size: int

    @cached_property
    def font(self) -> ImageFont.FreeTypeFont:
        """The font, laid out simply, so that it looks the same with every build of Pillow."""
        with as_file(files("pylopdf_fonts_zh_cn") / self.file) as path:
            data = io.BytesIO(path.read_bytes())
        return ImageFont.truetype(data, self.size, layout_engine=ImageFont.Layout.BASIC)

    def measure(self, text: str) -> float:
        """The width of `text` with a thin space between Chinese and Latin, in pixels."""
        parts = runs(text)
        return sum(self.font.getlength(part) for part in parts) + self._gap * (len(parts) - 1)

    def write(
        self, draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, fill: str
    ) -> None:
        """Set `text` on the line whose left end and baseline are `at`."""
        x, y = at
        for part in runs(text):
            draw.text((x, y), part, font=self.font, fill=fill, anchor="ls")
            x += self.font.getlength(part) + self._gap

    def known(self, text: str) -> str:
        """`text` as the font can draw it: without what it has no picture for, such as emoji."""
        kept = (g for g in graphemes(narrow_marks(text)) if g.isspace() or not self._missing(g))
        return " ".join("".join(kept).split())

    @property
    def _gap(self) -> float:
        return self.size / 6

    @cached_property
    def _blank(self) -> bytes:
        return bytes(self.font.getmask("\U0010fffe"))

    def _missing(self, grapheme: str) -> bool:
        return any(bytes(self.font.getmask(character)) == self._blank for character in grapheme)


def sans(size: int) -> Face:
    """For headlines and small print."""
    return Face("NotoSansSC-Regular.otf", size)


def serif(size: int) -> Face:
    """For the title and the number of the day."""
    return Face("NotoSerifSC-Regular.otf", size)


def draw_cover(edition: Edition) -> bytes:
    """The cover as a PNG file; the same edition gives the same picture."""
    look = edition.templates.look["light"]
    image = Image.new("RGB", (WIDTH, HEIGHT), look["background"])
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 7, HEIGHT), fill=look["accent"])
    stamp = _STAMP.match(edition_title(edition))
    _write_title(draw, edition, stamp)
    _write_date(draw, edition, stamp)
    draw.line((_MARGIN, _RULE_TOP, WIDTH - _MARGIN, _RULE_TOP), fill=look["line"], width=2)
    _write_headlines(draw, edition)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _write_title(draw: ImageDraw.ImageDraw, edition: Edition, stamp: re.Match[str] | None) -> None:
    title = edition_title(edition)
    if stamp and edition.digest.date:
        title = title[stamp.end() :]
    width = WIDTH - 2 * _MARGIN - (_DATE_WIDTH if edition.digest.date else 0)
    face, lines = _fitted_title(title, width)
    step = face.size * 1.3
    # Centred on the space above the rule, so that one line sits as well as two.
    middle = (_TITLE_TOP + _RULE_TOP - 28) / 2
    baseline = middle - step * (len(lines) - 1) / 2 + face.size * 0.36
    for index, line in enumerate(lines):
        face.write(
            draw, (_MARGIN, baseline + index * step), line, edition.templates.look["light"]["ink"]
        )


def _fitted_title(title: str, width: float) -> tuple[Face, list[str]]:
    """The largest face in which the title needs few enough lines; cut in the smallest."""
    for face in map(serif, _TITLE_SIZES):
        known = face.known(title)
        if len(break_lines(known, width, face.measure)) <= _TITLE_LINES:
            return face, balanced_lines(known, width, face.measure)
    # Less than two full lines: breaking them may leave some room at the end of the first.
    known = shorten_title(known, int(width * 1.8), lambda text: round(face.measure(text) + 0.5))
    return face, break_lines(known, width, face.measure)[:_TITLE_LINES]


def _write_date(draw: ImageDraw.ImageDraw, edition: Edition, stamp: re.Match[str] | None) -> None:
    date = edition.digest.date
    if date is None:
        return
    look = edition.templates.look["light"]
    month = words_for(edition.digest.language).month_of(date)
    if stamp and stamp["hour"]:
        month += f" {stamp['hour']}:00"
    number, small = serif(84), sans(17)
    right = WIDTH - _MARGIN
    day = f"{date.day:02}"
    number.write(draw, (right - number.measure(day), 122), day, look["accent"])
    small.write(draw, (right - small.measure(month), 160), month, look["muted"])


def _write_headlines(draw: ImageDraw.ImageDraw, edition: Edition) -> None:
    look = edition.templates.look["light"]
    face = sans(23)
    left = _MARGIN
    lines = _opening_lines(edition, face)
    if edition.digest.items:
        left += 40
    for index, (number, line) in enumerate(lines):
        baseline = _HEADLINES_TOP + 30 + index * _HEADLINE_STEP
        face.write(draw, (_MARGIN, baseline), number, look["accent"])
        face.write(draw, (left, baseline), line, look["ink"])


def _opening_lines(edition: Edition, face: Face) -> list[tuple[str, str]]:
    """The first headlines with their numbers; of prose, its first lines without."""
    digest = edition.digest
    width = WIDTH - 2 * _MARGIN
    if digest.items:
        return [
            (str(item.number), _one_line(face.known(item_title(item, digest)), width - 40, face))
            for item in islice(digest.items, _HEADLINES)
        ]
    text = face.known(shorten(intro_text(digest), 400, len))
    lines = break_lines(text, width, face.measure)
    if len(lines) > _HEADLINES:
        lines[_HEADLINES - 1] = _one_line(lines[_HEADLINES - 1] + "…", width, face)
    return [("", line) for line in lines[:_HEADLINES]]


def _one_line(text: str, width: int, face: Face) -> str:
    return shorten_title(text, width, lambda part: round(face.measure(part) + 0.5))
