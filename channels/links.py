"""Which address a story opens."""

from __future__ import annotations

from urllib.parse import urlsplit

from channels.base import Edition
from distributor.digest.model import Item
from distributor.digest.shorten import utf8_length


def is_link(url: str, limit: int) -> bool:
    """Whether `url` can be opened: http(s), with a host, printable, within `limit` bytes."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    printable = url.isprintable() and " " not in url
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and printable
        and utf8_length(url) <= limit
    )


def item_link(item: Item, edition: Edition, limit: int) -> tuple[str, tuple[str, ...]]:
    """The address that an item opens, and a warning when its own cannot be used.

    An item without a link opens the web edition. `limit`: most bytes of the item's own address.
    """
    if item.url is None:
        return edition.web_url, ()
    if is_link(item.url, limit):
        return item.url, ()
    reason = f"Item {item.number}: its link is no web address of at most {limit:,} bytes"
    return edition.web_url, (f"{reason}; it opens the web edition instead.",)
