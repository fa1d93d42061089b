"""The whole digest as one long picture, for groups that want to read without opening anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from distributor.digest.gist import commentary_text, intro_text, item_text, item_title, source_of
from distributor.digest.shorten import shorten
from distributor.pictures.canvas import Canvas, fitted
from distributor.pictures.face import Face, sans, serif
from distributor.pictures.foot import FOOT_HEIGHT, draw_foot
from distributor.pictures.subject import Subject
from distributor.pictures.typesetting import balanced_lines, break_lines

_WIDTH = 900
_MARGIN = 64
_COLUMN = _WIDTH - 2 * _MARGIN
_HEAD_HEIGHT = 250
#: A phone scrolls through this, and it stays under 2 MB as a file.
_MOST_HEIGHT = 16_000
#: Most characters of a story's text, and ten times as many of other text: None for all of it.
_FORMS = (None, 300, 150, 70, 0)


@dataclass(frozen=True, slots=True)
class LongPicture:
    """The digest as a PNG file."""

    png: bytes
    #: What did not fit; empty when everything is in it.
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of text and where it stands."""

    text: str
    face: Face
    colour: str
    #: From the line before to this one's baseline.
    step: int
    left: int = _MARGIN
    #: Stands at the left end of the same line, in the accent.
    number: str = ""


def draw_long(subject: Subject) -> LongPicture:
    """The picture with as much text as it has room for; titles and order always stay."""
    for most in _FORMS:
        lines = list(_lines(subject, most))
        if sum(line.step for line in lines) <= _MOST_HEIGHT:
            break
    warnings = []
    if most is not None:
        warnings.append(f"The picture holds {most or 'no'} characters of each story's text.")
    while sum(line.step for line in lines) > _MOST_HEIGHT:
        lines.pop()
        warnings = ["The picture shows the first stories only; its code leads to the others."]
    return LongPicture(_set(subject, lines).png(), tuple(warnings))


def _set(subject: Subject, lines: list[_Line]) -> Canvas:
    look = subject.look
    body = sum(line.step for line in lines)
    canvas = Canvas(_WIDTH, _HEAD_HEIGHT + body + 72 + FOOT_HEIGHT, look["background"])
    canvas.draw.rectangle((0, 0, _WIDTH, 11), fill=look["accent"])
    _write_head(canvas, subject)
    y = _HEAD_HEIGHT
    for line in lines:
        y += line.step
        if line.number:
            canvas.write(serif(40), (_MARGIN, y), line.number, look["accent"])
        line.face.write(canvas.draw, (line.left, y), line.text, line.colour)
    draw_foot(canvas, subject, canvas.height - FOOT_HEIGHT, _MARGIN)
    return canvas


def _write_head(canvas: Canvas, subject: Subject) -> None:
    look, right = subject.look, _WIDTH - _MARGIN
    room = _COLUMN - (210 if subject.day else 0)
    face, title = fitted(subject.title, [serif(size, bold=True) for size in (58, 50, 42)], room, 2)
    step = face.size * 1.3
    baseline = 122 - step * (len(title) - 1) / 2 + face.size * 0.36
    canvas.write_lines(face, (_MARGIN, baseline), title, look["ink"], step)
    if subject.day:
        canvas.write(serif(92), (right, 136), subject.day, look["accent"], right=True)
        canvas.write(sans(20), (right, 182), subject.month, look["muted"], right=True)
    canvas.draw.line((_MARGIN, 226, right, 226), fill=look["line"], width=2)


def _lines(subject: Subject, most: int | None) -> Iterator[_Line]:
    digest, look = subject.digest, subject.look
    prose = None if most is None else most * 10 or 200
    yield from _text(intro_text(digest), prose, look["muted"] if digest.items else look["ink"])
    for item in digest.items:
        title = serif(40, bold=True)
        known = title.known(item_title(item, digest))
        indent = 24 + 20 * max(2, len(str(item.number)))
        lines = balanced_lines(known, _COLUMN - indent, title.measure)
        for index, line in enumerate(lines):
            number = str(item.number) if index == 0 else ""
            yield _Line(
                line, title, look["ink"], 84 if index == 0 else 54, _MARGIN + indent, number
            )
        if source := source_of(item):
            yield _Line(source, sans(23), look["muted"], 42, _MARGIN + indent)
        yield from _text(item_text(item), most, look["ink"])
    if commentary := commentary_text(digest):
        yield _Line(subject.labels.commentary, serif(40, bold=True), look["accent"], 96)
        yield from _text(commentary, prose, look["ink"])


def _text(text: str, most: int | None, colour: str) -> Iterator[_Line]:
    face = sans(32)
    kept = text if most is None else shorten(text, most, len) if most else ""
    for paragraph in kept.splitlines():
        lines = break_lines(face.known(paragraph), _COLUMN, face.measure)
        for index, line in enumerate(lines):
            yield _Line(line, face, colour, 66 if index == 0 else 54)
