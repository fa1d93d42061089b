"""The large picture of one story: its number, title and source."""

from __future__ import annotations

from distributor.digest.gist import item_title, source_of
from distributor.digest.model import Item
from distributor.pictures.canvas import Canvas, fitted, one_line
from distributor.pictures.face import sans, serif
from distributor.pictures.subject import Subject

_WIDTH, _HEIGHT = 1068, 455
_MARGIN = 72
_LEFT = 236
_TITLE_SIZES = (56, 50, 44, 38)


def draw_story(subject: Subject, item: Item) -> Canvas:
    """A picture for the card of `item`, in the size that WeCom's news cards want."""
    look = subject.look
    canvas = Canvas(_WIDTH, _HEIGHT, look["background"])
    canvas.draw.rectangle((0, 0, 8, _HEIGHT), fill=look["accent"])
    number = serif(120)
    canvas.write(number, (_MARGIN, 216), str(item.number), look["accent"])
    faces = [serif(size, bold=True) for size in _TITLE_SIZES]
    face, lines = fitted(item_title(item, subject.digest), faces, _WIDTH - _LEFT - _MARGIN, 3)
    step = face.size * 1.34
    baseline = 188 - step * (len(lines) - 1) / 2 + face.size * 0.36
    canvas.write_lines(face, (_LEFT, baseline), lines, look["ink"], step)
    canvas.draw.line((_LEFT, 346, _WIDTH - _MARGIN, 346), fill=look["line"], width=2)
    small = sans(25)
    left = one_line(source_of(item) or subject.publisher, 460, small)
    canvas.write(small, (_LEFT, 396), left, look["muted"])
    canvas.write(small, (_WIDTH - _MARGIN, 396), subject.month, look["muted"], right=True)
    return canvas
