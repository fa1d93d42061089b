"""What stands in bold above a story, and where it leads."""

from __future__ import annotations

from dataclasses import dataclass

import regex
from markupsafe import Markup

from channels.telegram import parser
from channels.telegram.autolink import guard
from channels.telegram.limits import LONGEST_URL_BYTES
from channels.telegram.markup import clean, plain
from channels.telegram.styled import Fragment, Run, runs_html
from distributor.digest.model import Item

#: A longer one is shortened where it must not be divided among messages, in characters.
LONGEST_TITLE = 1_000
_GRAPHEME = regex.compile(r"\X")


@dataclass(frozen=True, slots=True)
class Headline:
    """A story's title and link, on one line."""

    #: At most `LONGEST_TITLE` characters and an ellipsis.
    title: str
    #: Where the title leads; empty where Telegram would lose the link.
    url: str
    #: The address in words, where it would.
    address: str
    #: The whole title, where `title` is shortened.
    whole: str

    @classmethod
    def of(cls, item: Item) -> Headline:
        """The headline of `item`; without a title its address stands for it."""
        address = clean(item.url or "")
        title = plain(item.title) or address
        short = shorten(title)
        whole = title if short != title else ""
        if address and parser.linkable(address):
            return cls(short, address, "", whole)
        shown = address if len(address.encode()) <= LONGEST_URL_BYTES else ""
        return cls(short, "", shown, whole)

    @property
    def overflow(self) -> tuple[Fragment, ...]:
        """The whole title as a paragraph of the body, where the headline has only its start."""
        return (Fragment(guarded(self.whole)),) if self.whole else ()

    def line(self, number: int) -> Fragment:
        """Number and linked title, whole, as a line that may be divided among messages."""
        title = self.whole or self.title
        words = f"{title} {self.address}".rstrip()
        linked = (Run(title, url=self.url),) if self.url else guarded(words)
        return Fragment((Run(f"{number}. "), *linked))


def shorten(text: str) -> str:
    """`text`, or its beginning and an ellipsis when it is longer than a headline may be."""
    if len(text) <= LONGEST_TITLE:
        return text
    end = 0
    for match in _GRAPHEME.finditer(text):
        if match.end() >= LONGEST_TITLE:
            break
        end = match.end()
    return f"{text[:end].rstrip()}…"


def guarded(text: str) -> tuple[Run, ...]:
    """Plain `text` so that Telegram links nothing in it."""
    return guard((Run(text),))


def words(text: str) -> Markup:
    """Plain `text` on one line in markup, so that Telegram links nothing else in it."""
    return Markup(runs_html(guarded(shorten(clean(" ".join(text.split()))))))  # noqa: S704
