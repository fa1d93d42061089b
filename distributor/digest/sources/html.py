"""HTML of feeds as Markdown that the reader reads."""

from __future__ import annotations

from urllib.parse import urljoin

from bs4 import BeautifulSoup
from bs4.element import Tag
from markdownify import ATX, MarkdownConverter

#: What is no reading matter, with everything in it.
_DROPPED = (
    *("script", "style", "template", "noscript", "iframe", "form", "button"),
    *("svg", "object", "embed", "audio", "video"),
)
#: Attributes that hold an address.
_ADDRESSES = {"a": "href", "img": "src"}
#: A picture of at most so many pixels is there to count readers.
_PIXEL = ("0", "1")


def to_markdown(html: str, base: str) -> str:
    """`html` as Markdown, its addresses made absolute with `base`.

    Raises `ValueError` for HTML that is nested beyond all reason.
    """
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup(list(_DROPPED)):
        tag.decompose()
    for tag in soup("img"):
        if tag.get("width") in _PIXEL or tag.get("height") in _PIXEL:
            tag.decompose()
    for name, attribute in _ADDRESSES.items():
        for tag in soup(name):
            _make_absolute(tag, attribute, base)
    converter = MarkdownConverter(heading_style=ATX, bullets="-", autolinks=False, escape_misc=True)
    try:
        return converter.convert_soup(soup).strip()
    except RecursionError:
        raise ValueError("its HTML is nested too deeply") from None


def words(html: str) -> str:
    """The words of `html` on one line, such as those of a title with markup in it."""
    return " ".join(BeautifulSoup(html, "html.parser").get_text().split())


def _make_absolute(tag: Tag, attribute: str, base: str) -> None:
    address = tag.get(attribute)
    if isinstance(address, str) and base:
        try:
            tag[attribute] = urljoin(base, address.strip())
        except ValueError:
            del tag[attribute]
