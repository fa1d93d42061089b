"""Wide pictures of an edition: title, date and the first headlines."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from distributor.digest.gist import intro_text, item_title
from distributor.digest.shorten import shorten
from distributor.pictures.canvas import Canvas, fitted, one_line
from distributor.pictures.face import Face, sans, serif
from distributor.pictures.subject import Subject
from distributor.pictures.typesetting import break_lines

#: The design is drawn for this width; others are scaled from it.
_DESIGNED_FOR = 900
_MARGIN = 56
#: The title's lines stay left of the date.
_DATE_WIDTH = 220
_TITLE_LINES = 2
#: Characters of prose that could ever fill the lines below the rule.
_PROSE = 600


@dataclass(frozen=True, slots=True)
class Format:
    """Size of a picture and where its parts stand, in pixels of the 900 px wide design."""

    width: int
    height: int
    title_sizes: tuple[int, ...]
    #: Above the title's block and below it.
    title_top: int
    rule: int
    #: From the rule to the first headline's baseline, and from each to the next.
    first: int
    step: int
    headline_size: int
    headlines: int

    def px(self, length: float) -> int:
        """A length of the design in this picture."""
        return round(length * self.width / _DESIGNED_FOR)


#: Cover of an Official Account's article, 2.35:1.
COVER = Format(900, 383, (54, 46, 40, 34), 40, 188, 54, 44, 24, 3)
#: The large picture of a WeCom news card, nearly the same shape.
CARD = Format(1068, 455, (54, 46, 40, 34), 40, 188, 54, 44, 24, 3)
#: 16:9, for news_notice cards and link previews.
WIDE = Format(1280, 720, (60, 52, 44, 36), 44, 200, 60, 50, 25, 5)


def draw_landscape(subject: Subject, form: Format) -> Canvas:
    """The picture in one of the formats above."""
    look = subject.look
    canvas = Canvas(form.width, form.height, look["background"])
    canvas.draw.rectangle((0, 0, form.px(8) - 1, form.height), fill=look["accent"])
    _write_title(canvas, subject, form)
    _write_date(canvas, subject, form)
    margin, rule = form.px(_MARGIN), form.px(form.rule)
    canvas.draw.line((margin, rule, form.width - margin, rule), fill=look["line"], width=form.px(2))
    _write_headlines(canvas, subject, form)
    return canvas


def _write_title(canvas: Canvas, subject: Subject, form: Format) -> None:
    beside = _DATE_WIDTH if subject.day else 0
    faces = [serif(form.px(size), bold=True) for size in form.title_sizes]
    width = form.width - form.px(2 * _MARGIN + beside)
    face, lines = fitted(subject.title, faces, width, _TITLE_LINES)
    step = face.size * 1.3
    # Centred on the space above the rule, so that one line sits as well as two.
    middle = form.px((form.title_top + form.rule - 20) / 2)
    baseline = middle - step * (len(lines) - 1) / 2 + face.size * 0.36
    canvas.write_lines(face, (form.px(_MARGIN), baseline), lines, subject.look["ink"], step)


def _write_date(canvas: Canvas, subject: Subject, form: Format) -> None:
    if not subject.day:
        return
    look, right = subject.look, form.width - form.px(_MARGIN)
    middle = form.px((form.title_top + form.rule - 20) / 2)
    number, small = serif(form.px(84)), sans(form.px(17))
    canvas.write(number, (right, middle + form.px(16)), subject.day, look["accent"], right=True)
    canvas.write(small, (right, middle + form.px(54)), subject.month, look["muted"], right=True)


def _write_headlines(canvas: Canvas, subject: Subject, form: Format) -> None:
    face, left = sans(form.px(form.headline_size)), form.px(_MARGIN)
    width = form.width - 2 * left
    indent = form.px(44) if subject.digest.items else 0
    for index, (number, line) in enumerate(_lines(subject, face, width - indent, form.headlines)):
        baseline = form.px(form.rule + form.first + index * form.step)
        canvas.write(face, (left, baseline), number, subject.look["accent"])
        canvas.write(face, (left + indent, baseline), line, subject.look["ink"])


def _lines(subject: Subject, face: Face, width: int, most: int) -> list[tuple[str, str]]:
    """The first headlines with their numbers; of prose, its first lines without."""
    digest = subject.digest
    if digest.items:
        return [
            (str(item.number), one_line(item_title(item, digest), width, face))
            for item in islice(digest.items, most)
        ]
    text = face.known(shorten(intro_text(digest), _PROSE, len))
    lines = break_lines(text, width, face.measure)
    if len(lines) > most:
        lines[most - 1] = one_line(lines[most - 1] + "…", width, face)
    return [("", line) for line in lines[:most]]
