"""The shipped fonts, set with the spacing of mixed Chinese and Latin text."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

from PIL import ImageDraw, ImageFont

from distributor.digest.shorten import graphemes
from distributor.pictures.typesetting import narrow_marks, runs

_SANS = "NotoSansSC-Regular.otf"
_SERIF = "NotoSerifSC-Regular.otf"
#: Share of the size that the outline of a bold letter is drawn wider.
_BOLD = 0.022


@dataclass(frozen=True)
class Face:
    """One of the shipped fonts in one size, in pixels."""

    file: str
    size: int
    bold: bool = False

    @cached_property
    def font(self) -> ImageFont.FreeTypeFont:
        """The font, laid out simply, so that it looks the same with every build of Pillow."""
        data = io.BytesIO(_data(self.file))
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
        stroke = self.size * _BOLD if self.bold else 0
        for part in runs(text):
            draw.text(
                (x, y),
                part,
                font=self.font,
                fill=fill,
                anchor="ls",
                stroke_width=stroke,
                stroke_fill=fill,
            )
            x += self.font.getlength(part) + self._gap

    def known(self, text: str) -> str:
        """`text` as the font can draw it: without what it has no picture for, such as emoji."""
        kept = (
            grapheme
            for grapheme in graphemes(narrow_marks(text))
            if grapheme.isspace() or all(_has(self.file, character) for character in grapheme)
        )
        return " ".join("".join(kept).split())

    @property
    def _gap(self) -> float:
        return self.size / 6


@cache
def sans(size: int, *, bold: bool = False) -> Face:
    """For headlines, text and small print."""
    return Face(_SANS, size, bold)


@cache
def serif(size: int, *, bold: bool = False) -> Face:
    """For titles and the number of the day."""
    return Face(_SERIF, size, bold)


@cache
def _data(file: str) -> bytes:
    return (files("pylopdf_fonts_zh_cn") / file).read_bytes()


@cache
def _probe(file: str) -> tuple[ImageFont.FreeTypeFont, bytes]:
    font = Face(file, 16).font
    return font, bytes(font.getmask("\U0010fffe"))


@cache
def _has(file: str, character: str) -> bool:
    """Whether the font has a picture of its own for `character`."""
    font, blank = _probe(file)
    return bytes(font.getmask(character)) != blank
