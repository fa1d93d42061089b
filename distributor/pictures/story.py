"""The large picture of one story: its number and its source.

WeCom lays the story's title over the lower third, which therefore stays empty.
"""

from __future__ import annotations

from distributor.digest.gist import source_of
from distributor.digest.model import Item
from distributor.pictures.canvas import Canvas, one_line
from distributor.pictures.face import sans, serif
from distributor.pictures.subject import Subject

_WIDTH, _HEIGHT = 1068, 455
_MARGIN = 72
_BASELINE = 178


def draw_story(subject: Subject, item: Item) -> Canvas:
    """A picture for the card of `item`, in the size that WeCom's news cards want."""
    look = subject.look
    canvas = Canvas(_WIDTH, _HEIGHT, look["background"])
    canvas.draw.rectangle((0, 0, 8, _HEIGHT), fill=look["accent"])
    figure, number = serif(150), str(item.number)
    canvas.write(figure, (_MARGIN, _BASELINE), number, look["accent"])
    left = round(_MARGIN + figure.measure(number) + 56)
    name, small = serif(44, bold=True), sans(25)
    source = one_line(source_of(item) or subject.publisher, _WIDTH - left - _MARGIN, name)
    canvas.write(name, (left, _BASELINE - 52), source, look["ink"])
    below = " · ".join(filter(None, (subject.publisher, subject.month)))
    canvas.write(
        small, (left, _BASELINE - 2), one_line(below, _WIDTH - left - _MARGIN, small), look["muted"]
    )
    return canvas
