"""The ledger's ids as people write them."""

from __future__ import annotations

#: Of a BIGINT, which neither database goes beyond.
_LARGEST = 2**63 - 1


def identifier_in(text: str) -> int | None:
    """The id that `text` writes; None when it writes none that a row could have."""
    if not text.isascii() or not text.isdecimal() or len(text) > len(str(_LARGEST)):
        return None
    number = int(text)
    return number if 1 <= number <= _LARGEST else None
