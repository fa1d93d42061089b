"""The foot of a tall picture: a QR code of the web edition, and words that say what it is."""

from __future__ import annotations

from PIL import Image

from distributor.pictures.canvas import Canvas, one_line
from distributor.pictures.face import sans, serif
from distributor.pictures.subject import Subject

FOOT_HEIGHT = 300
_CODE = 196
#: Light modules around a code, as ISO/IEC 18004 asks for.
_QUIET = 4


def draw_foot(canvas: Canvas, subject: Subject, top: int, margin: int) -> None:
    """Draw it on the `FOOT_HEIGHT` pixels below `top`."""
    look = subject.look
    canvas.draw.rectangle((0, top, canvas.width, top + FOOT_HEIGHT), fill=look["card"])
    canvas.draw.line((0, top, canvas.width, top), fill=look["line"], width=2)
    code = qr_code(subject.web_url, _CODE, ink=look["ink"], paper=look["card"])
    canvas.image.paste(
        code, (canvas.width - margin - code.width, top + (FOOT_HEIGHT - code.height) // 2)
    )
    room = canvas.width - 2 * margin - code.width - 40
    name, plain, small = serif(42, bold=True), sans(30), sans(25)
    canvas.write(name, (margin, top + 116), one_line(subject.publisher, room, name), look["ink"])
    canvas.write(plain, (margin, top + 174), subject.labels.scan, look["muted"])
    canvas.write(small, (margin, top + 222), one_line(subject.site, room, small), look["accent"])


def qr_code(url: str, size: int, *, ink: str, paper: str) -> Image.Image:
    """A QR code of about `size` pixels with its quiet zone, each module of whole pixels."""
    import segno

    code = segno.make(url, error="m", micro=False, boost_error=False)
    modules = [list(row) for row in code.matrix_iter(border=_QUIET)]
    scale = max(2, size // len(modules))
    picture = Image.new("1", (len(modules), len(modules)))
    picture.putdata([0 if module else 1 for row in modules for module in row])
    coloured = Image.new("RGB", picture.size, ink)
    coloured.paste(paper, (0, 0), picture)
    side = len(modules) * scale
    return coloured.resize((side, side), Image.Resampling.NEAREST)
