"""Enhanced status codes (RFC 3463) and reply codes (RFC 5321) in what mail systems write.

Such texts hold IP addresses and version numbers too: `[62.5.1.1]` is no `5.1.1`. So a number counts
only where a mail system would put a status code.
"""

from __future__ import annotations

import re

#: A number as far as it goes: neither part of a longer one nor of an IP address.
STATUS = r"[245]\.\d{1,3}\.\d{1,3}(?!\.?\d|\w)"

_STATED = re.compile(rf"\s*({STATUS})")
#: At the very beginning, directly after a reply code, in `(#5.1.1)`, or after the word itself.
_IN_WORDS = re.compile(
    rf"(?i)(?:\A\s*|(?<![\d.])[245]\d\d[ -]+[#'\"(<]?|\(#|\bstatus[:=] ?)({STATUS})"
)
_REPLY_CODE = re.compile(r"(?m)(?:^|[\s:：('\"#])([45]\d\d)(?=[ -]|$)")


def stated(field: str) -> str:
    """The status that a `Status` field states; empty when it states none."""
    found = _STATED.match(field)
    return found[1] if found else ""


def in_words(text: str) -> str:
    """The first status in diagnostic text or prose; empty without one."""
    found = _IN_WORDS.search(text)
    return found[1] if found else ""


def reply_code(text: str) -> str:
    """The first reply code that says no, `550`; empty without one."""
    found = _REPLY_CODE.search(text)
    return found[1] if found else ""
