"""Fetches a picture that an edition shows, and makes it one that the platform takes.

The address comes from a digest and is not trusted: only public hosts are asked, nothing is
followed, and no more is read than a picture of an article may have.
"""

from __future__ import annotations

import io
import ipaddress
import socket
import warnings
from urllib.parse import urlsplit

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
    return fitted(_download(url))


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


def _download(url: str) -> bytes:
    import urllib3

    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NoPicture("its address is malformed") from None
    if parts.scheme not in ("http", "https") or not host:
        raise NoPicture("its address is not http or https")
    is_tls = parts.scheme == "https"
    # Asked by the number that was checked, so that the name cannot lead elsewhere a moment later.
    address = _public_address(host, port or (443 if is_tls else 80))
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    pool = (
        urllib3.HTTPSConnectionPool(
            address, port or 443, server_hostname=host, assert_hostname=host
        )
        if is_tls
        else urllib3.HTTPConnectionPool(address, port or 80)
    )
    with pool:
        try:
            answer = pool.request(
                "GET",
                target,
                headers={"Host": parts.netloc.rpartition("@")[2], "User-Agent": "Mozilla/5.0"},
                timeout=_TIMEOUT_SECONDS,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            content = answer.read(_MOST_BYTES + 1)
        except urllib3.exceptions.HTTPError as error:
            raise NoPicture(f"its host does not answer ({type(error).__name__})") from None
    if answer.status != 200:  # noqa: PLR2004
        raise NoPicture(f"its host answered HTTP {answer.status}")
    if len(content) > _MOST_BYTES:
        raise NoPicture(f"it is over {_MOST_BYTES:,} bytes")
    return content


def _public_address(host: str, port: int) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NoPicture(f"there is no host {host!r}") from None
    addresses = [str(one[4][0]) for one in found]
    if not all(ipaddress.ip_address(one.partition("%")[0]).is_global for one in addresses):
        raise NoPicture("its host is not on the Internet")
    return addresses[0]
