"""Pieces of header fields and report fields, out of texts that nobody vouches for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from channels.email.headers import clean

#: Of a single field, in characters: longer ones are nobody's address.
MAX_FIELD = 2000
_MAX_WORDS = 500
#: An apostrophe may be part of one (`o'brien@`), and opens a quotation before one.
_ADDRESS = re.compile(r"[^\s<>\"';,:()@][^\s<>\";,:()@]{0,63}@[A-Za-z0-9.-]{1,253}[A-Za-z0-9]")


def addresses_in(text: str) -> Iterator[str]:
    """The addresses in a text's first 2000 characters, in lower case as canonical ones are.

    One with control characters or lone surrogates is nobody's, and no database would keep it.
    """
    for found in _ADDRESS.findall(text[:MAX_FIELD]):
        if found.isprintable():
            yield found.lower()


def one_line(text: str) -> str:
    """`text` without line breaks and control characters, at most 500 characters."""
    return clean(text[:MAX_FIELD])[:_MAX_WORDS]
