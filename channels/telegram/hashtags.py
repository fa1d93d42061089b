"""Categories as hashtags."""

from __future__ import annotations

import re
from collections.abc import Sequence

from channels.telegram import parser

_NOT_IN_HASHTAG = re.compile(r"\W+")
#: A post shows at most so many, each of at most so many characters.
_MOST = 12
_LONGEST = 64


def hashtags(categories: Sequence[str]) -> list[str]:
    """Categories as hashtags: spaces and punctuation removed, each once, in order.

    Those that Telegram would not recognise, such as bare numbers, are left out.
    """
    tags: dict[str, str] = {}
    for category in categories:
        tag = "#" + _NOT_IN_HASHTAG.sub("", category)
        if len(tag) > _LONGEST:
            continue
        found = parser.autolinks(tag)
        if any(e.kind == "Hashtag" and e.end - e.start == len(tag) for e in found):
            tags.setdefault(tag.casefold(), tag)
    return list(tags.values())[:_MOST]
