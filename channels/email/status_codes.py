"""Enhanced status codes (RFC 3463) and reply codes (RFC 5321) in what mail systems write.

Such texts hold IP addresses and version numbers too: `[62.5.1.1]` is no `5.1.1`. So a number counts
only where a mail system would put a status code.
"""

from __future__ import annotations

import re

#: A number as far as it goes: neither part of a longer one nor of an IP address.
STATUS = r"[245]\.\d{1,3}\.\d{1,3}(?!\.?\d|\w)"

_STATED = re.compile(rf"\s*({STATUS})")
#: At the very beginning, directly after a reply code, after `#` as qmail and Exchange write it, or
#: after the word itself. Yahoo writes `550: 5.1.1`.
_IN_WORDS = re.compile(
    rf"(?i)(?:\A\s*|(?<![\d.])[245]\d\d:?[ -]+[#'\"(<]?|(?<![\w.])#|\bstatus[:=] ?)({STATUS})"
)
_REPLY_CODE = re.compile(r"(?m)(?:^|[\s:：('\"#])([45]\d\d)(?=[ -]|: |:?$)")
#: Where Exchange Online begins to quote what the other server answered.
_ANSWERED = "->"
#: Exchange Online's for "another server's error" and "expired", both with the other one's answer.
_GENERAL = frozenset({"5.0.350", "5.4.300"})


def stated(field: str) -> str:
    """The status that a `Status` field states; empty when it states none."""
    found = _STATED.match(field)
    return found[1] if found else ""


def is_general(status: str) -> bool:
    """Says no more than its class (`5.0.0`), so that a precise one beside it tells more."""
    return status[1:] == ".0.0" or status in _GENERAL


def is_expired(status: str) -> bool:
    """The time for delivery ran out (RFC 3463, section 3.5), in Exchange's numbers as well."""
    return status[1:] == ".4.7" or status == "5.4.300"


def in_words(text: str) -> str:
    """The first status in diagnostic text or prose; empty without one.

    A general one gives way to a precise one of the same class.
    """
    found: list[str] = _IN_WORDS.findall(text)
    first = found[0] if found else ""
    if not is_general(first):
        return first
    return next((one for one in found if one[0] == first[0] and not is_general(one)), first)


def more_precise(status: str, words: str) -> str:
    """The status that is stated, or a more precise one of the same class in the words."""
    precise = in_words(words)
    if not status:
        return precise
    return precise if is_general(status) and precise[:1] == status[0] else status


def reply_code(text: str) -> str:
    """The first reply code that says no, `550`; empty without one."""
    found = _REPLY_CODE.search(text)
    return found[1] if found else ""


def refusal_code(text: str) -> str:
    """The reply code that settled a delivery, `550`, in what a bounce says; empty without one.

    The answer of the server that refused it, where another's is quoted. A code at the beginning is
    the reply's own; in prose, a number like 412 may be anything, so that one with 5 is preferred.
    """
    _, arrow, answered = text.rpartition(_ANSWERED)
    if arrow and (code := reply_code(answered)):
        return code
    found: list[str] = _REPLY_CODE.findall(text)
    if not found or _REPLY_CODE.match(text):
        return found[0] if found else ""
    return next((code for code in found if code[0] == "5"), found[0])
