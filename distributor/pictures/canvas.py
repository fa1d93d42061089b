"""A sheet to set lines on, and the PNG file that it becomes."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw

from distributor.digest.shorten import shorten_title
from distributor.pictures.face import Face
from distributor.pictures.typesetting import balanced_lines, break_lines

#: Colours of a file: paper, ink and accent with the shades that soften the edges of letters.
_COLOURS = 48
#: Less than full lines: breaking them may leave some room at the end of each.
_FILLED = 0.9


class Canvas:
    """A sheet of paper in one colour."""

    def __init__(self, width: int, height: int, paper: str) -> None:
        self.width, self.height = width, height
        self.image = Image.new("RGB", (width, height), paper)
        self.draw = ImageDraw.Draw(self.image)

    def write(
        self, face: Face, at: tuple[float, float], text: str, fill: str, *, right: bool = False
    ) -> None:
        """Set a line on the baseline `at`, which is its left end, or its `right` one."""
        x, y = at
        face.write(self.draw, (x - face.measure(text) if right else x, y), text, fill)

    def write_lines(
        self, face: Face, at: tuple[float, float], lines: Sequence[str], fill: str, step: float
    ) -> None:
        """Set `lines` below each other, the first one's baseline at `at`."""
        x, y = at
        for index, line in enumerate(lines):
            face.write(self.draw, (x, y + index * step), line, fill)

    def png(self) -> bytes:
        """The sheet as a PNG file with a small palette."""
        file = io.BytesIO()
        flat = self.image.quantize(_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        flat.save(file, "PNG", optimize=True)
        return file.getvalue()


def fitted(
    text: str, faces: Sequence[Face], width: float, most_lines: int
) -> tuple[Face, list[str]]:
    """The first of `faces`, largest first, in which `text` needs few enough lines, and these.

    In the last one it is cut where it has to be.
    """
    for face in faces:
        known = face.known(text)
        if len(break_lines(known, width, face.measure)) <= most_lines:
            return face, balanced_lines(known, width, face.measure)
    room = int(width * (most_lines - 1 + _FILLED) * _FILLED)
    known = shorten_title(known, room, lambda part: round(face.measure(part) + 0.5))
    return face, break_lines(known, width, face.measure)[:most_lines]


def one_line(text: str, width: float, face: Face) -> str:
    """`text` as the face can draw it, cut to a single line of `width`."""
    known = face.known(text)
    return shorten_title(known, int(width), lambda part: round(face.measure(part) + 0.5))
