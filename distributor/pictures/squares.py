"""Square pictures: the thumb of an edition and the tile of a story."""

from __future__ import annotations

from distributor.pictures.canvas import Canvas, fitted
from distributor.pictures.face import Face, sans, serif
from distributor.pictures.subject import Subject

_THUMB = 600
_TILE = 300


def draw_thumb(subject: Subject) -> Canvas:
    """The day in large and the title below it: at 50 pixels the day still tells it apart."""
    look = subject.look
    canvas = Canvas(_THUMB, _THUMB, look["background"])
    canvas.draw.rectangle((0, 0, _THUMB, 11), fill=look["accent"])
    if subject.day:
        _centred(canvas, serif(264), 292, subject.day, look["accent"])
        _centred(canvas, sans(30), 366, subject.month, look["muted"])
    middle, sizes = (468, (50, 44, 38)) if subject.day else (_THUMB / 2, (72, 60, 48))
    face, lines = fitted(subject.title, [serif(size, bold=True) for size in sizes], 500, 2)
    step = face.size * 1.32
    baseline = middle - step * (len(lines) - 1) / 2 + face.size * 0.36
    for index, line in enumerate(lines):
        _centred(canvas, face, baseline + index * step, line, look["ink"])
    return canvas


def draw_tile(subject: Subject, number: int) -> Canvas:
    """The number of a story, to stand beside its headline."""
    canvas = Canvas(_TILE, _TILE, subject.look["background"])
    canvas.draw.rectangle((0, _TILE - 8, _TILE, _TILE), fill=subject.look["accent"])
    _centred(canvas, serif(150), 200, str(number), subject.look["accent"])
    return canvas


def _centred(canvas: Canvas, face: Face, baseline: float, text: str, fill: str) -> None:
    canvas.write(face, ((canvas.width - face.measure(text)) / 2, baseline), text, fill)
