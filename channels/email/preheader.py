"""The line that inboxes show after the subject."""

from __future__ import annotations

from collections.abc import Iterator

from channels.email.headers import clean
from distributor.digest.model import Digest, Paragraph
from distributor.digest.plain import inline_text

#: About what an inbox shows, in columns: a Chinese character takes two.
_COLUMNS = 140
_FIRST_WIDE = "\u1100"


def preheader(digest: Digest) -> str:
    """What the edition says first that its title does not: the intro, else the headlines."""
    title = clean(digest.title)
    return next((_cut(text) for text in _candidates(digest) if text and text not in title), "")


def _candidates(digest: Digest) -> Iterator[str]:
    for block in digest.intro:
        if isinstance(block, Paragraph):
            yield clean(inline_text(block.children))
    yield " · ".join(clean(inline_text(item.title)) for item in digest.items)


def _cut(text: str) -> str:
    columns = 0
    for position, char in enumerate(text):
        columns += 2 if char >= _FIRST_WIDE else 1
        if columns > _COLUMNS:
            return text[:position].rstrip() + "…"
    return text
