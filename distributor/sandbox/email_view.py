"""Reads a stored mail for the page: headers, the text part, and HTML that is safe to frame."""

from __future__ import annotations

import base64
import email
import email.policy
import re
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from distributor.sandbox.mail_headers import headers

#: A framed mail runs nothing and loads nothing; its pictures come with it or not at all.
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
#: What the frame of a mail may do: open a link in a new tab.
FRAME_SANDBOX = "allow-popups allow-popups-to-escape-sandbox"

_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_CID = re.compile(r"""cid:([^"'\s)>]+)""", re.IGNORECASE)
_PICTURE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail's contents, decoded."""

    headers: tuple[tuple[str, str], ...]
    text: str
    #: Empty when the mail has no HTML part.
    html: str

    def framed(self) -> str:
        """The HTML for a sandboxed frame: links open outside it, nothing is fetched."""
        guard = (
            f'<meta http-equiv="Content-Security-Policy" content="{MAIL_POLICY}">'
            '<base target="_blank">'
        )
        head = _HEAD.search(self.html)
        at = head.end() if head else 0
        return self.html[:at] + guard + self.html[at:]


def read_mail(path: Path | None) -> Mail:
    """The mail in the file at `path`; an empty one when the file is gone."""
    return parse_mail(path.read_bytes() if path and path.is_file() else b"")


def parse_mail(raw: bytes) -> Mail:
    """The mail that came as `raw`."""
    # compat32 takes any header, however malformed, where the newer policies raise.
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    parts = [part for part in message.walk() if not part.is_multipart()]
    html = _first(parts, "text/html")
    return Mail(
        headers=tuple(headers(message)),
        text=_first(parts, "text/plain"),
        html=_with_pictures(html, parts),
    )


def _first(parts: list[Message[str, str]], content_type: str) -> str:
    for part in parts:
        if part.get_content_type() == content_type and not part.get_filename():
            return _text(part)
    return ""


def _text(part: Message[str, str]) -> str:
    charset = part.get_content_charset() or "utf-8"
    try:
        return _bytes(part).decode(charset, "replace")
    except LookupError:
        return _bytes(part).decode("utf-8", "replace")


def _with_pictures(html: str, parts: list[Message[str, str]]) -> str:
    """`html` with every `cid:` reference (RFC 2392) replaced by the picture itself."""
    pictures = {
        part["Content-ID"].strip(" <>"): _data_url(part)
        for part in parts
        if part["Content-ID"] and part.get_content_type() in _PICTURE_TYPES
    }
    return _CID.sub(lambda match: pictures.get(match[1], match[0]), html)


def _data_url(part: Message[str, str]) -> str:
    return picture_url(_bytes(part), part.get_content_type())


def picture_url(picture: bytes, content_type: str) -> str:
    """`picture` as a `data:` URL."""
    return f"data:{content_type};base64,{base64.b64encode(picture).decode()}"


def _bytes(part: Message[str, str]) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
