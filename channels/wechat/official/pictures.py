"""Fetches a picture that an edition shows, and makes it one that the platform takes.

The address comes from a digest and is not trusted: only machines of the public Internet are asked,
and no more is read than a picture of an article may have.
"""

from __future__ import annotations

import io
import warnings

from channels.wechat.article.limits import PICTURE_BYTES

_MOST_BYTES = 10_000_000
_MOST_PIXELS = 40_000_000
#: The column of an article at twice its size.
_WIDTH = 1354
_QUALITIES = (88, 78, 66, 52, 38)
_TIMEOUT_SECONDS = 15


class NoPicture(Exception):
    """There is no picture at the address that could be shown; the text says why."""


def fetch(url: str) -> tuple[str, bytes]:
    """A file name and a JPG or PNG under 1 MB. Raises `NoPicture`."""
    from distributor.digest.sources.download import Limits, Validators, download
    from distributor.digest.sources.model import SourceUnreachable

    if not url.startswith(("http://", "https://")):
        raise NoPicture("its address is not http or https")
    limits = Limits(_MOST_BYTES, _TIMEOUT_SECONDS, allow_private=False)
    try:
        page = download(url, limits, Validators())
    except SourceUnreachable as error:
        raise NoPicture(str(error)) from None
    if page is None:
        raise NoPicture("its host says that it has not changed")
    return fitted(page.content)


def fitted(content: bytes) -> tuple[str, bytes]:
    """`content` as the platform takes it: unchanged, or smaller as a JPG. Raises `NoPicture`."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(content)) as image:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if image.width * image.height > _MOST_PIXELS:
                raise NoPicture(f"it has {image.width} × {image.height} pixels")
            if image.format in ("JPEG", "PNG") and len(content) < PICTURE_BYTES:
                return f"picture.{'jpg' if image.format == 'JPEG' else 'png'}", content
            flat = Image.new("RGB", image.size, "white")
            layered = image.convert("RGBA")
            flat.paste(layered, mask=layered)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombWarning) as error:
        raise NoPicture(f"it is no picture ({type(error).__name__})") from None
    flat.thumbnail((_WIDTH, _WIDTH * 4))
    for quality in _QUALITIES:
        file = io.BytesIO()
        flat.save(file, "JPEG", quality=quality)
        if file.tell() < PICTURE_BYTES:
            return "picture.jpg", file.getvalue()
    raise NoPicture("it stays over 1 MB however much it is compressed")
