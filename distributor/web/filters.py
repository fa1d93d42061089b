"""What the web templates need beyond Jinja2's own filters."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

_ALLOWED = ("http://", "https://", "mailto:")


def kind(node: object) -> str:
    """The name of a node's type in the digest model: `Paragraph`, `Text`, …"""
    return type(node).__name__


def href(url: str) -> str:
    """`url` when a page may link to it, else nothing: no `javascript:` gets onto a page."""
    return url if url.lower().startswith(_ALLOWED) else ""


def host(url: str) -> str:
    """The host a reader would name: without port and `www.`."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


def number(value: int) -> str:
    """`12480` as `12,480`."""
    return f"{value:,}"


def moment(value: datetime) -> str:
    """A point in time for operators, in UTC to the minute."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


FILTERS = {function.__name__: function for function in (kind, href, host, number, moment)}
