"""An edition as Telegram posts."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from channels.base import Edition, Part, RenderError, Rendering
from channels.telegram import parser
from channels.telegram.autolink import guard
from channels.telegram.layout import Passage, messages
from channels.telegram.limits import LONGEST_URL_BYTES, MESSAGE
from channels.telegram.markup import clean, fragments, plain
from channels.telegram.styled import Fragment, Run, runs_html
from distributor.digest.model import Item

#: With more items than this, readers get headlines and a link to the rest.
MOST_FULL_ITEMS = 30
#: So many messages a headlines-only post may take.
MOST_HEADLINE_PARTS = 3

_NOT_IN_HASHTAG = re.compile(r"\W+")


def render(edition: Edition) -> Rendering:
    """The posts of `edition`, each one parsed by Telegram's own parser.

    Raises `RenderError` when a title, headline or template makes a message that Telegram refuses.
    """
    texts, warnings = _texts(edition)
    if not texts:
        raise RenderError("the edition has no text to post on Telegram")
    for number, text in enumerate(texts, start=1):
        _check(text, number)
    parts = tuple(Part(number, _payload(text, number)) for number, text in enumerate(texts, 1))
    return Rendering(parts, tuple(warnings))


def _texts(edition: Edition) -> tuple[list[str], list[str]]:
    items = edition.digest.items
    warnings = [
        f"item {item.number}: Telegram cannot link to its address, which is shown as text"
        for item in items
        if item.url and not parser.linkable(item.url)
    ]
    if len(items) <= MOST_FULL_ITEMS:
        return _Post(edition).lay_out(list(_full(edition))), warnings
    texts, left_out = _headlines(edition)
    warnings.append(
        f"{len(items)} items are too many for Telegram: the post holds headlines only"
        + (f", and the last {left_out} are on the web edition alone" if left_out else "")
    )
    return texts, warnings


class _Post:
    """Fills the templates of one edition."""

    def __init__(self, edition: Edition, left_out: int = 0) -> None:
        self._edition = edition
        self._common: dict[str, Any] = {
            "language": edition.digest.language.split("-")[0].lower(),
            "web_url": clean(edition.web_url),
            "web_linkable": bool(edition.web_url) and parser.linkable(edition.web_url),
            "left_out": left_out,
        }

    def passage(self, name: str, inner: tuple[Fragment, ...], **values: object) -> Passage:
        """The passage of template `name` around the fragments `inner`."""

        def fill(opening: bool, paragraphs: Sequence[Markup]) -> str:
            return self._fill(name, opening=opening, paragraphs=paragraphs, **values)

        return Passage(fill, inner, is_heading=name == "header" and not inner)

    def header(self, name: str, inner: tuple[Fragment, ...]) -> Passage:
        """A passage that begins with the edition's title and hashtags."""
        digest = self._edition.digest
        title = _words(" ".join(digest.title.split()))
        return self.passage(name, inner, title=title, hashtags=hashtags(digest.categories))

    def lay_out(self, passages: list[Passage]) -> list[str]:
        """The messages that hold `passages`."""

        def fill(bodies: Sequence[Markup], number: int, total: int) -> str:
            return self._fill("message", passages=bodies, number=number, total=total)

        return messages(passages, fill)

    def _fill(self, name: str, **values: object) -> str:
        template = f"telegram/{name}.html.j2"
        return self._edition.templates.render(template, **self._common, **values)


def _full(edition: Edition) -> Iterator[Passage]:
    """Header, every item with its body, commentary."""
    digest, post = edition.digest, _Post(edition)
    yield post.header("header", fragments(digest.intro, inside_quote=False))
    section = None
    for item in digest.items:
        title, url, address = _headline(item)
        yield post.passage(
            "item",
            fragments(item.body, inside_quote=True),
            section=_words(item.section or "") if item.section != section else "",
            number=item.number,
            title=title if url else _words(title),
            url=url,
            address=_words(address),
            author=_words(item.author or ""),
        )
        section = item.section
    commentary = fragments(digest.commentary, inside_quote=True)
    if commentary:
        yield post.passage("commentary", commentary)


def _headlines(edition: Edition) -> tuple[list[str], int]:
    """Headlines with links, and how many of them there was no room for."""
    lines = tuple(_headline_line(item) for item in edition.digest.items)

    def lay_out(keep: int) -> list[str]:
        post = _Post(edition, left_out=len(lines) - keep)
        return post.lay_out([post.header("headlines", lines[:keep])])

    def count(keep: int) -> int:
        return len(lay_out(keep))

    kept = bisect_right(range(1, len(lines) + 1), MOST_HEADLINE_PARTS, key=count)
    return lay_out(kept), len(lines) - kept


def _headline_line(item: Item) -> Fragment:
    """Number and linked title on one line."""
    title, url, address = _headline(item)
    words = f"{title} {address}".rstrip()
    return Fragment(
        (Run(f"{item.number}. "), *((Run(title, url=url),) if url else _guarded(words)))
    )


def _headline(item: Item) -> tuple[str, str, str]:
    """Title and link of `item`, and its address in words where Telegram would lose the link."""
    address = clean(item.url or "")
    title = plain(item.title) or address
    if address and parser.linkable(address):
        return title, address, ""
    return title, "", address if len(address.encode()) <= LONGEST_URL_BYTES else ""


def _guarded(text: str) -> tuple[Run, ...]:
    return guard((Run(text),))


def _words(text: str) -> Markup:
    """Plain `text` in markup, so that Telegram links nothing else in it."""
    return Markup(runs_html(_guarded(clean(text))))  # noqa: S704


def hashtags(categories: Sequence[str]) -> list[str]:
    """Categories as hashtags: spaces and punctuation removed, each once, in order.

    Those that Telegram would not recognise, such as bare numbers, are left out.
    """
    tags: dict[str, str] = {}
    for category in categories:
        tag = "#" + _NOT_IN_HASHTAG.sub("", category)
        found = parser.autolinks(tag)
        if any(e.kind == "Hashtag" and e.end - e.start == len(tag) for e in found):
            tags.setdefault(tag.casefold(), tag)
    return list(tags.values())


def _check(text: str, number: int) -> None:
    """Raises `RenderError` unless Telegram takes `text` as a message and drops none of it."""
    if not parser.parse(text).text.strip():
        raise RenderError(f"part {number} of the Telegram post has no text: check the templates")
    cost = parser.cost(text)
    if not cost.fits(MESSAGE):
        raise RenderError(
            f"part {number} of the Telegram post has {cost.characters} characters,"
            f" {cost.entities} entities of {cost.entity_bytes} bytes and {cost.markup_bytes} bytes"
            f" of markup; at most {MESSAGE.characters}, {MESSAGE.entities},"
            f" {MESSAGE.entity_bytes} and {MESSAGE.markup_bytes} are accepted:"
            " shorten the title, headlines or their addresses"
        )


def _payload(text: str, number: int) -> dict[str, Any]:
    """The Bot API call of one part, without the chat; only the first part rings."""
    payload: dict[str, Any] = {
        "method": "sendMessage",
        "text": text,
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }
    return payload if number == 1 else {**payload, "disable_notification": True}
