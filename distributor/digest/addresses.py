"""Addresses of links and pictures: only those that are safe to open, in a form all agree on."""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

_NOWHERE = re.compile(
    r"(?:|#|about:blank|url|link|链接|https?:(?://(?:url|link)?)?/?)", re.IGNORECASE
)
#: No scheme, no fragment alone; a colon only behind the first slash.
_RELATIVE = re.compile(r"(?:\.{0,2}/|[^\s/:#?]{1,200}(?:/|\.\w{1,8}(?:$|[#?])))\S{0,2000}")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
#: RFC 3986 reserved and unreserved characters, and the percent sign of what is encoded already.
_KEPT = "%/:?#@!$&'()*+,;=~-._"
#: RFC 1035 section 2.3.4. Longer names make IDNA slow and resolve nowhere.
_MAX_HOST = 253


def safe_url(address: str, base: str = "") -> str | None:
    """`address` as an absolute http, https or mailto URL, percent-encoded; None for any other.

    `//host/…` and `www.…` are read as https, and what is relative belongs to `base`, the address of
    the site. International host names become IDNA.
    """
    try:
        text = _absolute(address.strip(), base)
        parts = urlsplit(text)
        if parts.scheme == "mailto":
            return f"mailto:{_encoded(text.partition(':')[2])}" if "@" in parts.path else None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return None
        authority = _authority(parts.netloc, parts.hostname)
    except (ValueError, UnicodeError):
        return None
    return urlunsplit(
        (
            parts.scheme,
            authority,
            _encoded(parts.path),
            _encoded(parts.query),
            _encoded(parts.fragment),
        )
    )


def leads_nowhere(address: str) -> bool:
    """Whether `address` only holds the place of one: empty, `#`, `about:blank`, `url`."""
    return bool(_NOWHERE.fullmatch(address.strip()))


def is_relative(address: str) -> bool:
    """Whether `address` names a page of the site that it stands on: `/posts/a/`, `../b.md`."""
    text = address.strip()
    return bool(_RELATIVE.fullmatch(text)) and not leads_nowhere(text)


def _absolute(text: str, base: str) -> str:
    if text.startswith("//"):
        return f"https:{text}"
    if text.lower().startswith("www."):
        return f"https://{text}"
    return urljoin(f"{base.rstrip('/')}/", text) if base and is_relative(text) else text


def _authority(netloc: str, host: str) -> str:
    """`netloc` with its host in ASCII. Raises `ValueError` or `UnicodeError` for a bad one."""
    if len(host) > _MAX_HOST:
        raise ValueError("host name too long")
    if host.isascii():
        if not re.fullmatch(r"[\w.~:%-]+", host):
            raise ValueError("host name with forbidden characters")
        return quote(netloc, safe="%[]:@!$&'()*+,;=~-._")
    port = urlsplit(f"//{netloc}").port
    ascii_host = host.encode("idna").decode("ascii")
    return ascii_host if port is None else f"{ascii_host}:{port}"


def _encoded(part: str) -> str:
    return quote(_BARE_PERCENT.sub("%25", part), safe=_KEPT)
