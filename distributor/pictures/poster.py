"""The poster: a tall picture with the headlines, to share and to save."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from distributor.digest.gist import intro_text, item_title
from distributor.digest.shorten import shorten
from distributor.pictures.canvas import Canvas, fitted
from distributor.pictures.face import Face, sans, serif
from distributor.pictures.foot import FOOT_HEIGHT, draw_foot
from distributor.pictures.subject import Subject
from distributor.pictures.typesetting import break_lines

_WIDTH = 1080
_MARGIN = 84
_INDENT = 76
_MOST_HEADLINES = 12
_HEADLINE_LINES = 2
_SIZE, _STEP, _GAP = 35, 50, 26
_PROSE, _PROSE_LINES = 900, 16


@dataclass(frozen=True, slots=True)
class _Row:
    """A headline in lines; what shows no number has an empty one."""

    number: str
    lines: list[str]

    @property
    def height(self) -> int:
        return len(self.lines) * _STEP + _GAP


def draw_poster(subject: Subject) -> Canvas:
    """As tall as its headlines need, at most twelve of them."""
    look = subject.look
    face = sans(_SIZE)
    rows = _rows(subject, face)
    title_face, title = fitted(
        subject.title, [serif(size, bold=True) for size in (78, 68, 60)], _WIDTH - 2 * _MARGIN, 3
    )
    title_top = 330 if subject.day else 150
    title_step = title_face.size * 1.28
    list_top = round(title_top + title_step * len(title)) + 34
    height = list_top + 56 + sum(row.height for row in rows) + 30 + FOOT_HEIGHT
    canvas = Canvas(_WIDTH, height, look["background"])
    canvas.draw.rectangle((0, 0, _WIDTH, 13), fill=look["accent"])
    _write_head(canvas, subject)
    canvas.write_lines(
        title_face,
        (_MARGIN, title_top + title_face.size * 0.9),
        title,
        look["ink"],
        title_step,
    )
    canvas.draw.line((_MARGIN, list_top, _WIDTH - _MARGIN, list_top), fill=look["line"], width=2)
    top = list_top + 56
    for row in rows:
        _write_row(canvas, subject, face, row, top)
        top += row.height
    draw_foot(canvas, subject, height - FOOT_HEIGHT, _MARGIN)
    return canvas


def _write_head(canvas: Canvas, subject: Subject) -> None:
    if not subject.day:
        return
    number, small = serif(190), sans(32)
    canvas.write(number, (_MARGIN - 8, 262), subject.day, subject.look["accent"])
    right = _WIDTH - _MARGIN
    canvas.write(small, (right, 262), subject.month, subject.look["muted"], right=True)


def _write_row(canvas: Canvas, subject: Subject, face: Face, row: _Row, top: int) -> None:
    baseline = top + _SIZE * 0.4
    number = serif(_SIZE + 5)
    canvas.write(number, (_MARGIN, baseline), row.number, subject.look["accent"])
    left = _MARGIN + (_INDENT if subject.digest.items else 0)
    ink = subject.look["ink"] if row.number or not subject.digest.items else subject.look["muted"]
    canvas.write_lines(face, (left, baseline), row.lines, ink, _STEP)


def _rows(subject: Subject, face: Face) -> list[_Row]:
    """The first headlines and how many more there are; of prose, its beginning."""
    digest, width = subject.digest, _WIDTH - 2 * _MARGIN
    if not digest.items:
        text = face.known(shorten(intro_text(digest), _PROSE, len))
        lines = break_lines(text, width, face.measure)[:_PROSE_LINES]
        return [_Row("", lines)] if lines else []
    rows = [
        _Row(
            str(item.number),
            fitted(item_title(item, digest), [face], width - _INDENT, _HEADLINE_LINES)[1],
        )
        for item in islice(digest.items, _MOST_HEADLINES)
    ]
    if (left_out := len(digest.items) - len(rows)) > 0:
        rows.append(_Row("", [subject.labels.more.format(count=left_out)]))
    return rows
